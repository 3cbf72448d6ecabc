// Signs in with oauth4webapi, which takes nothing that the standards do not allow. Its argument is the address of the
// MCP endpoint. Every step's outcome is told at the end.
import * as oauth from "oauth4webapi";

import { browse, tell } from "./sign_in.mjs";

const resource = new URL(process.argv[2]);
const onLoopback = { [oauth.allowInsecureRequests]: true };
const redirectUri = "http://127.0.0.1:9/callback"; // nobody listens there

async function call(accessToken) {
  const body = {
    jsonrpc: "2.0",
    id: 1,
    method: "tools/call",
    params: { name: "get_current_user", arguments: {} },
  };
  const headers = new Headers({
    Accept: "application/json, text/event-stream",
    "Content-Type": "application/json",
    "MCP-Protocol-Version": "2025-11-25",
  });
  return oauth
    .protectedResourceRequest(accessToken, "POST", resource, headers, JSON.stringify(body), onLoopback)
    .then((response) => response.status)
    .catch((error) => [error.status, error.cause[0].parameters.error]);
}

const protectedResource = await oauth.processResourceDiscoveryResponse(
  resource,
  await oauth.resourceDiscoveryRequest(resource, onLoopback),
);
const issuer = new URL(protectedResource.authorization_servers[0]);
const server = await oauth.processDiscoveryResponse(
  issuer,
  await oauth.discoveryRequest(issuer, { algorithm: "oauth2", ...onLoopback }),
);

// Each way of authentication that the metadata names, from registration to revocation.
async function signIn(method) {
  const metadata = { client_name: "oauth4webapi", redirect_uris: [redirectUri], token_endpoint_auth_method: method };
  const client = await oauth.processDynamicClientRegistrationResponse(
    await oauth.dynamicClientRegistrationRequest(server, metadata, onLoopback),
  );
  const authentication = {
    none: oauth.None,
    client_secret_post: () => oauth.ClientSecretPost(client.client_secret),
    client_secret_basic: () => oauth.ClientSecretBasic(client.client_secret),
  }[method]();

  const verifier = oauth.generateRandomCodeVerifier();
  const state = oauth.generateRandomState();
  const authorize = new URL(server.authorization_endpoint);
  authorize.search = new URLSearchParams({
    client_id: client.client_id,
    redirect_uri: redirectUri,
    response_type: "code",
    scope: "users:read",
    state,
    resource: protectedResource.resource,
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    code_challenge_method: "S256",
  });
  const answer = oauth.validateAuthResponse(server, client, await browse(authorize), state);
  const tokens = await oauth.processAuthorizationCodeResponse(
    server,
    client,
    await oauth.authorizationCodeGrantRequest(server, client, authentication, answer, redirectUri, verifier, {
      additionalParameters: { resource: protectedResource.resource },
      ...onLoopback,
    }),
  );
  const refreshed = await oauth.processRefreshTokenResponse(
    server,
    client,
    await oauth.refreshTokenGrantRequest(server, client, authentication, tokens.refresh_token, onLoopback),
  );
  const before = await call(refreshed.access_token);
  await oauth.processRevocationResponse(
    await oauth.revocationRequest(server, client, authentication, refreshed.refresh_token, onLoopback),
  );
  const after = await call(refreshed.access_token);
  return { method, scopes: [tokens.scope, refreshed.scope], calls: [before, after] };
}

const signedIn = [];
for (const method of server.token_endpoint_auth_methods_supported) signedIn.push(await signIn(method));
tell({ checksIssuer: server.authorization_response_iss_parameter_supported, signedIn });
process.exit();
