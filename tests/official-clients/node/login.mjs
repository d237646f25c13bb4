// Logs in with @azure/msal-node, as its users do: nothing in it is changed for
// the emulator but the address of the authority.
import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { connect } from "node:net";
import {
  ConfidentialClientApplication,
  ManagedIdentityApplication,
} from "@azure/msal-node";

const {
  AZURE_AUTHORITY_HOST: host,
  AZURE_TENANT_ID: tenant,
  AZURE_CLIENT_ID: clientId,
  AZURE_CLIENT_SECRET: clientSecret,
  AZURE_CLIENT_CERTIFICATE_PATH: certificatePath,
  REDIS_PLAIN_URL: redisUrl,
} = process.env;
const scopes = ["https://redis.azure.com/.default"];

async function application(credential) {
  const client = new ConfidentialClientApplication({
    auth: {
      clientId,
      authority: `${host}/${tenant}`,
      // With the port, or it is not recognised.
      knownAuthorities: [new URL(host).host],
      ...credential,
    },
  });
  const result = await client.acquireTokenByClientCredential({ scopes });
  return result.accessToken;
}

function certificate() {
  const pem = readFileSync(certificatePath, "utf8");
  const fingerprint = new X509Certificate(pem).fingerprint256;
  const privateKey = pem.match(/-----BEGIN PRIVATE KEY-----[^-]+-----END PRIVATE KEY-----/)[0];
  return { thumbprintSha256: fingerprint.replaceAll(":", ""), privateKey, x5c: pem };
}

async function managedIdentity() {
  const client = new ManagedIdentityApplication();
  const result = await client.acquireToken({ resource: "https://redis.azure.com" });
  return result.accessToken;
}

// AUTH and PING as inline commands; resolves with both replies.
function logIn(token) {
  const payload = token.split(".")[1];
  const { oid } = JSON.parse(Buffer.from(payload, "base64url").toString());
  const { hostname, port } = new URL(redisUrl);
  return new Promise((resolve, reject) => {
    let replies = "";
    const socket = connect(Number(port), hostname, () =>
      socket.write(`AUTH ${oid} ${token}\r\nPING\r\nQUIT\r\n`),
    );
    socket.on("data", (data) => (replies += data));
    socket.on("error", reject);
    socket.on("close", () => resolve(replies));
  });
}

const flows = {
  "client secret": () => application({ clientSecret }),
  certificate: () => application({ clientCertificate: certificate() }),
  "App Service managed identity": managedIdentity,
};
for (const [flow, token] of Object.entries(flows)) {
  const replies = await logIn(await token());
  if (!replies.startsWith("+OK\r\n+PONG\r\n")) {
    throw new Error(`${flow}: Redis answered ${JSON.stringify(replies)}`);
  }
  console.log(`@azure/msal-node, ${flow}: logged in`);
}
