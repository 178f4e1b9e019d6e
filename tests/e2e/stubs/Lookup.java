// SPDX-License-Identifier: BSD-2-Clause
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Hashtable;
import java.util.List;
import javax.naming.NameNotFoundException;
import javax.naming.NamingException;
import javax.naming.directory.Attribute;
import javax.naming.directory.InitialDirContext;

/** What Java makes of names, by InetAddress and, for SRV, JNDI: for each argument KIND:NAME
 *  one line of JSON. */
class Lookup {
	static String list(String member, List<String> items) {
		StringBuilder json = new StringBuilder("{\"" + member + "\": [");
		for (int i = 0; i < items.size(); i++)
			json.append(i > 0 ? ", \"" : "\"").append(items.get(i)).append('"');
		return json.append("]}").toString();
	}

	static String addresses(String kind, String name) {
		List<String> found = new ArrayList<>();
		try {
			for (InetAddress address : InetAddress.getAllByName(name)) {
				if (!kind.equals("v6") || address instanceof Inet6Address)
					found.add(address.getHostAddress());
			}
		} catch (UnknownHostException e) {
			boolean failed = e.getMessage().contains("Temporary failure");
			return "{\"error\": \"" + (failed ? "failed" : "missing") + "\"}";
		}
		return found.isEmpty() ? "{\"error\": \"nodata\"}" : list("addresses", found);
	}

	static String services(String name) throws NamingException {
		Hashtable<String, String> environment = new Hashtable<>();
		environment.put("java.naming.factory.initial", "com.sun.jndi.dns.DnsContextFactory");
		environment.put("java.naming.provider.url", "dns:");
		List<String> found = new ArrayList<>();
		try {
			Attribute records = new InitialDirContext(environment)
				.getAttributes(name, new String[] {"SRV"}).get("SRV");
			for (Object record : Collections.list(records.getAll())) {
				String[] part = record.toString().split(" ");
				found.add(part[2] + " " + part[3].replaceAll("\\.$", ""));
			}
		} catch (NameNotFoundException e) {
			return "{\"error\": \"missing\"}";
		}
		return list("srv", found);
	}

	public static void main(String[] arguments) throws NamingException {
		for (String argument : arguments) {
			String[] part = argument.split(":", 2);
			System.out.println(part[0].equals("srv") ? services(part[1])
				: addresses(part[0], part[1]));
		}
	}
}
