/** What does not fit together in TLS settings, once all were read. */
import type { ParseContext } from '../../config/language.ts';
import type { BindSettings, Configuration, ProxySettings, ServerSettings } from '../settings.ts';

export function checkTls(configuration: Configuration, context: ParseContext): void {
  for (const proxy of configuration.proxies) {
    for (const bind of proxy.binds)
      if (bind.ssl !== undefined) checkBind(bind, proxy, configuration, context);
    for (const server of proxy.servers) checkServer(server, context);
  }
}

function checkBind(
  bind: BindSettings,
  proxy: ProxySettings,
  configuration: Configuration,
  context: ParseContext,
): void {
  const { crt, verify = 'none', caFile, alpn } = bind.ssl!;
  const refuse = (message: string, hint: string) =>
    context.report('error', `${proxy.kind} '${proxy.name}': ${message}`, bind.place, hint);
  if (crt.length === 0)
    refuse(`'ssl' without a certificate on '${bind.text}'`, "name its file: 'ssl crt <file>'");
  if (verify !== 'none' && caFile === undefined)
    refuse(`'verify ${verify}' needs authorities to check clients against`, "name them: 'ca-file <file>'");
  if (bind.acceptProxy)
    refuse(`'accept-proxy' before TLS is not supported by this engine`, "take 'accept-proxy' or 'ssl' away");
  if (proxy.mode === 'http' && alpn?.includes('h2'))
    configuration.noted.push({ keyword: 'alpn h2', place: bind.place });
}

function checkServer(
  { name, place, ssl, checkTls: forChecks, ...server }: ServerSettings,
  context: ParseContext,
) {
  const tls = ssl ?? forChecks;
  if (tls === undefined) return;
  if (tls.verify === 'required' && tls.caFile === undefined)
    context.report(
      'error',
      `server '${name}': its certificate is to be verified (the default), and no 'ca-file' says by whom`,
      place,
      "add 'ca-file <file>' or 'ca-file @system-ca', or trust it as it is with 'verify none'",
    );
  if (server.sendProxy !== undefined)
    context.report(
      'error',
      `server '${name}': 'send-proxy' before TLS is not supported by this engine`,
      place,
      "take 'send-proxy' or 'ssl' away",
    );
}
