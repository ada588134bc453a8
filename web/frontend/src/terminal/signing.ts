/**
 * What a terminal signs: the one profile of HTTP Message Signatures (RFC 9421) that the server takes.
 * Pure, but for the browser's own hash and signature.
 */

const COVERED = '("@method" "@path" "@query" "content-digest" "terminal-sequence")';

const CHUNK = 0x4000;

export interface PublicJwk {
  readonly x: string;
  readonly y: string;
}

export interface Target {
  readonly method: string;
  readonly path: string;
  /** Without its question mark. */
  readonly query: string;
}

export function base64(bytes: ArrayBuffer): string {
  const all = new Uint8Array(bytes);
  let written = "";
  // A photo has more bytes than a call takes arguments.
  for (let at = 0; at < all.length; at += CHUNK) written += String.fromCharCode(...all.subarray(at, at + CHUNK));
  return btoa(written);
}

export function parametersOf(createdS: number, keyName: string): string {
  return `${COVERED};created=${createdS};keyid="${keyName}";alg="ecdsa-p256-sha256"`;
}

export function signatureBase(target: Target, digest: string, sequence: number, parameters: string): string {
  return [
    `"@method": ${target.method}`,
    `"@path": ${target.path}`,
    `"@query": ?${target.query}`,
    `"content-digest": sha-256=:${digest}:`,
    `"terminal-sequence": ${sequence}`,
    `"@signature-params": ${parameters}`,
  ].join("\n");
}

/** The name of a key itself (RFC 7638). */
export async function thumbprint({ x, y }: PublicJwk): Promise<string> {
  const written = JSON.stringify({ crv: "P-256", kty: "EC", x, y });
  const hash = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(written));
  return base64(hash).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

/** The headers of a signed request. */
export async function signed(
  key: CryptoKey,
  keyName: string,
  target: Target,
  body: string,
  sequence: number,
  atMs: number,
): Promise<Record<string, string>> {
  const digest = base64(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(body)));
  const parameters = parametersOf(Math.floor(atMs / 1_000), keyName);
  const base = signatureBase(target, digest, sequence, parameters);
  const signature = await crypto.subtle.sign(
    { name: "ECDSA", hash: "SHA-256" },
    key,
    new TextEncoder().encode(base),
  );
  return {
    "Content-Digest": `sha-256=:${digest}:`,
    "Terminal-Sequence": String(sequence),
    "Signature-Input": `terminal=${parameters}`,
    Signature: `terminal=:${base64(signature)}:`,
  };
}
