// SPDX-License-Identifier: BSD-2-Clause
// The AWS SDK for JavaScript at the end of a pipe, for js_sdk.py: one JSON object a
// line comes in, one a line goes out. The first argument is the folder that npm
// installed the SDK into.
import http from "node:http";
import { createRequire } from "node:module";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { Readable } from "node:stream";

const sdk = createRequire(join(process.argv[2], "package.json"))(
  "@aws-sdk/client-servicediscovery");

let client, connections, wire;

// An agent that resolves every name to loopback, and counts connections.
class Agent extends http.Agent {
  constructor() {
    super({
      keepAlive: true,
      lookup: (host, options, done) =>
        options.all ? done(null, [{ address: "127.0.0.1", family: 4 }])
          : done(null, "127.0.0.1", 4),
    });
  }
  createConnection(...args) {
    connections++;
    return super.createConnection(...args);
  }
}

// Notes what goes over the wire, below everything that the SDK does with it.
const tap = (next) => async (args) => {
  const { headers } = args.request;
  const result = await next(args);
  const chunks = [];
  for await (const chunk of result.response.body) chunks.push(chunk);
  const body = Buffer.concat(chunks);
  result.response.body = Readable.from([body]);
  wire.push({
    target: headers["x-amz-target"], host: headers.host,
    status: result.response.statusCode, body: body.toString(),
  });
  return result;
};

const plain = (value) =>
  value instanceof Date ? { $date: value.getTime() }
    : Array.isArray(value) ? value.map(plain)
      : value && typeof value === "object"
        ? Object.fromEntries(Object.entries(value).filter(([key]) => key[0] !== "$")
          .map(([key, item]) => [key, plain(item)]))
        : value;

const failure = (error) => ({
  name: error.name,
  typed: typeof sdk[error.name] === "function" && error instanceof sdk[error.name],
  service: error instanceof sdk.ServiceDiscoveryServiceException,
  message: error.message,
  status: error.$metadata?.httpStatusCode,
  requestId: error.$metadata?.requestId,
  members: plain({ ...error }),
});

const commands = {
  open(config) {
    client?.destroy();
    connections = 0;
    client = new sdk.ServiceDiscoveryClient({
      region: "us-east-1", maxAttempts: 1,
      credentials: { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "secret" },
      requestHandler: { httpAgent: new Agent() }, ...config,
    });
    client.middlewareStack.add(tap, { step: "deserialize", priority: "low" });
  },
  names() {
    return Object.keys(sdk);
  },
  async call({ operation, input }) {
    return plain(await client.send(new sdk[operation + "Command"](input)));
  },
  async pages({ paginator, pageSize, input }) {
    const pages = [];
    for await (const page of sdk[paginator]({ client, pageSize }, input)) {
      pages.push(plain(page));
    }
    return pages;
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  const { command, ...rest } = JSON.parse(line);
  const reply = { wire: (wire = []) };
  try {
    reply.result = (await commands[command](rest)) ?? null;
  } catch (error) {
    reply.error = failure(error);
  }
  reply.connections = connections;
  process.stdout.write(JSON.stringify(reply) + "\n");
}
client?.destroy();
