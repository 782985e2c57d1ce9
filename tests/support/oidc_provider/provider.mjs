// An OpenID Connect provider with one client, which must use PKCE. Everybody may sign in with any password.
// Arguments: port, client id, client secret, redirect address, and the people's claims as JSON by their subjects.
import { Provider } from "oidc-provider";

const [port, clientId, clientSecret, redirect, people] = process.argv.slice(2);
const claims = JSON.parse(people);

const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients: [
    {
      client_id: clientId,
      client_secret: clientSecret,
      redirect_uris: [redirect],
      grant_types: ["authorization_code"],
      response_types: ["code"],
    },
  ],
  // The groups come with the user info alone, as the standard has it for a token of the code flow.
  claims: { openid: ["sub"], profile: ["name"], groups: ["groups"] },
  cookies: { keys: ["of this test"] },
  pkce: { required: () => true },
  findAccount: (_context, id) => ({ accountId: id, claims: () => ({ sub: id, ...claims[id] }) }),
});

provider.listen(Number(port), "127.0.0.1");
// Its parent may be killed.
setTimeout(() => process.exit(0), 600_000);
