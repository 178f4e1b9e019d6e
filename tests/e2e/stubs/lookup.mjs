// SPDX-License-Identifier: BSD-2-Clause
// What Node's resolvers make of names: "system" asks the C library, "c-ares" its own. For
// each further argument KIND:NAME one line of JSON.
import { promises as dns } from "node:dns";

const [way, ...names] = process.argv.slice(2);

const word = (error) => ({
  ENOTFOUND: "missing", ENODATA: "nodata", ESERVFAIL: "failed", ETIMEOUT: "failed",
  EAI_AGAIN: "failed",
})[error.code] ?? String(error);

async function addresses(kind, name) {
  if (way === "system") {
    const family = kind === "v6" ? 6 : 0;
    return (await dns.lookup(name, { all: true, family })).map((found) => found.address);
  }
  const families = kind === "v6" ? [dns.resolve6] : [dns.resolve4, dns.resolve6];
  const found = await Promise.allSettled(families.map((resolve) => resolve(name)));
  const good = found.filter((one) => one.status === "fulfilled");
  if (good.length === 0) throw found[0].reason;
  return good.flatMap((one) => one.value);
}

for (const argument of names) {
  const at = argument.indexOf(":");
  const [kind, name] = [argument.slice(0, at), argument.slice(at + 1)];
  let result;
  try {
    result = kind === "srv"
      ? { srv: (await dns.resolveSrv(name)).map((srv) => `${srv.port} ${srv.name}`) }
      : { addresses: await addresses(kind, name) };
  } catch (error) {
    result = { error: word(error) };
  }
  console.log(JSON.stringify(result));
}
