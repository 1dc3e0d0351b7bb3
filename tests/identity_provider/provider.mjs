// An identity provider by panva's certified library, with persons of the test's own. What it is to be stands in its
// argument, as JSON; it says on standard output when it listens.

import { generateKeyPairSync } from "node:crypto";
import { createRequire } from "node:module";
import { createServer } from "node:http";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const told = JSON.parse(process.argv[2]);
const library = createRequire(join(told.modules, "package.json")).resolve("oidc-provider");
const { Provider } = await import(pathToFileURL(library).href);

function key(kid) {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  return { ...privateKey.export({ format: "jwk" }), kid, use: "sig", alg: "RS256" };
}

function page(content) {
  return `<!DOCTYPE html><html lang="en"><title>Campus login</title><link rel="icon" href="data:,"><h1>Campus login</h1>${content}`;
}

const provider = new Provider(told.issuer, {
  clients: told.clients,
  jwks: { keys: told.keys.map(key) },
  cookies: { keys: ["made up for tests"] },
  pkce: { required: () => true },
  clientAuthMethods: [told.authMethod],
  conformIdTokenClaims: !told.claimsInIdToken,
  claims: {
    openid: ["sub"],
    profile: ["preferred_username", "name", "groups"],
    email: ["email", "email_verified"],
  },
  features: {
    devInteractions: { enabled: false },
    rpInitiatedLogout: {
      enabled: true,
      logoutSource: (ctx, form) => {
        ctx.body = page(`${form}<button form="op.logoutForm" name="logout" value="yes">Sign out everywhere</button>`);
      },
    },
  },
  interactions: { url: (ctx, interaction) => `/interaction/${interaction.uid}` },
  findAccount: (ctx, id) => ({ accountId: id, claims: () => ({ sub: id, ...told.persons[id] }) }),
  // Whoever signs in agrees.
  async loadExistingGrant(ctx) {
    const { client, session, params } = ctx.oidc;
    const grant = new ctx.oidc.provider.Grant({ clientId: client.clientId, accountId: session.accountId });
    grant.addOIDCScope(params.scope);
    await grant.save();
    return grant;
  },
});

async function form(request) {
  let body = "";
  for await (const chunk of request) body += chunk;
  return new URLSearchParams(body);
}

const byLibrary = provider.callback();
createServer(async (request, response) => {
  if (!request.url.startsWith("/interaction/")) {
    byLibrary(request, response);
    return;
  }
  if (request.method === "POST") {
    const fields = await form(request);
    const result = fields.has("refuse")
      ? { error: "access_denied", error_description: "<script>refused</script>" }
      : { login: { accountId: fields.get("login") } };
    await provider.interactionFinished(request, response, result, { mergeWithLastSubmission: false });
    return;
  }
  response.setHeader("Content-Type", "text/html; charset=utf-8");
  response.end(
    page(
      `<form method="post"><label>User <input name="login"></label>
       <button>Continue</button> <button name="refuse">Refuse</button></form>`,
    ),
  );
}).listen(told.port, "127.0.0.1", () => console.log("listening"));
