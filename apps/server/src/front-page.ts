import type { FastifyInstance } from "fastify";

const PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Sampan</title>
<style>
body { font: 16px/1.6 system-ui, sans-serif; max-width: 40rem; margin: 4rem auto; padding: 0 1rem; color: #1f2933; }
code, pre { background: #f1f4f7; border-radius: 4px; padding: .1rem .35rem; }
pre { padding: .75rem 1rem; overflow-x: auto; }
</style>
</head>
<body>
<h1>Sampan 舢板</h1>
<p>This server runs. It has no console of its own yet: work with it from the command line, or over its API.</p>
<pre>npm run sampan -- setup
npm run sampan -- help</pre>
<ul>
<li>API: <a href="/api/v1/openapi.json"><code>/api/v1/openapi.json</code></a> (OpenAPI 3.1)</li>
<li>Health: <a href="/api/v1/health"><code>/api/v1/health</code></a></li>
<li>Registry: <code>/v2/</code>, for <code>docker login</code> with an API token as password</li>
<li>Documentation: the folder <code>docs/</code> beside the server's sources</li>
</ul>
</body>
</html>
`;

/** What a browser finds at the root: where to go from here. */
export function serveFrontPage(server: FastifyInstance): void {
  server.get("/", (_request, reply) =>
    reply
      .type("text/html; charset=utf-8")
      .header("content-security-policy", "default-src 'none'; style-src 'unsafe-inline'")
      .send(PAGE),
  );
}
