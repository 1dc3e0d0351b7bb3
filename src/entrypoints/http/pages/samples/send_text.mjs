// Sends a text: node send_text.mjs "970-690-4544" "See you at 10:30."
// Your credentials are in the environment. It needs Node 18 or newer.
import { randomUUID } from "node:crypto";

const HUB = "https://sms-hub.example";
let token;

async function logIn() {
  const answer = await request("/api/Login", {
    ProgramSID: process.env.SMSHUB_PROGRAM_SID,
    ProgramKey: process.env.SMSHUB_PROGRAM_KEY,
  });
  token = await checked(answer);
}

async function call(path, body, headers) {
  const attempt = () =>
    request(path, body, { Authorization: `Bearer ${token}`, ...headers });
  let answer = await attempt().catch(attempt); // No answer: once more.
  if (answer.status === 401) {
    await logIn(); // The token has expired.
    answer = await attempt();
  }
  return checked(answer);
}

function request(path, body, headers) {
  return fetch(HUB + path, {
    method: body ? "POST" : "GET",
    headers: { "Content-Type": "application/json", ...headers },
    body: body && JSON.stringify(body),
    signal: AbortSignal.timeout(30_000),
  });
}

async function checked(answer) {
  const content = await answer.json();
  if (answer.ok) return content;
  throw new Error(`${content.type}: ${content.detail}`);
}

try {
  const [number, message] = process.argv.slice(2);
  const text = { PhoneNumber: number, Message: message };
  // With the same key it is sent once, however often the call is repeated.
  const once = { "Idempotency-Key": randomUUID() };

  await logIn();
  const sent = await call("/api/TextMessages", text, once);
  console.log(`${sent.Id} is ${sent.Status}.`);

  // What has become of it? Ask again later, as often as you like.
  const now = await call(`/api/TextMessages/${sent.Id}`);
  console.log(now.SentResult);
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
