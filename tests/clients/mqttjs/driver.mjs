// mqtt.js, told what to do by JSON lines on standard input; what happens is told by JSON lines on standard output.
// The commands and events are described in tests/support/programs.py.

import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import mqtt from "mqtt";

const tell = (event, more = {}) => process.stdout.write(`${JSON.stringify({ event, ...more })}\n`);

let client;

const commands = {
  connect({ transport, host, port, ca, certificate, key, clientId, version, clean, expiry, will, signed }) {
    const scheme = { tls: "mqtts", wss: "wss" }[transport];
    const url = signed?.url ?? `${scheme}://${host}:${port}${transport === "wss" ? "/mqtt" : ""}`;
    client = mqtt.connect(url, {
      ca: readFileSync(ca),
      cert: signed ? undefined : readFileSync(certificate),
      key: signed ? undefined : readFileSync(key),
      clientId,
      protocolVersion: version,
      clean,
      properties: version === 5 ? { sessionExpiryInterval: expiry } : undefined,
      will: will ? { ...will, payload: Buffer.from(will.payload) } : undefined,
      reconnectPeriod: 0,
      connectTimeout: 30_000,
    });
    client.on("connect", ({ sessionPresent }) => tell("connected", { sessionPresent }));
    client.on("message", (topic, payload, { qos, retain }) =>
      tell("message", { topic, payload: payload.toString(), qos, retain }),
    );
    client.on("error", (error) => tell("error", { why: `${error.code ?? ""} ${error.message}`.trim() }));
    client.on("close", () => tell("closed"));
  },
  subscribe({ filter, qos }) {
    client.subscribe(filter, { qos }, (error, _granted, { granted } = {}) =>
      error && !granted ? tell("error", { why: error.message }) : tell("subscribed", { granted: granted.map(Number) }),
    );
  },
  unsubscribe({ filter }) {
    client.unsubscribe(filter, (error) => (error ? tell("error", { why: error.message }) : tell("unsubscribed")));
  },
  publish({ topic, payload, qos, retain }) {
    client.publish(topic, payload, { qos, retain }, (error) =>
      error ? tell("error", { why: error.message }) : tell("published"),
    );
  },
  disconnect() {
    client.end();
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  const { command, ...options } = JSON.parse(line);
  commands[command](options);
}
client?.end(true);
