// Package auth finds out who makes an HTTP request: by a name and a password, by a
// token that the host has been told of, or by a JSON Web Token that somebody
// trusted has signed. What a principal may do is not its business.
//
// # Users file
//
// One user or token a line; # begins a comment line. Name and hash are those of
// htpasswd -B, what follows them is optional.
//
//	name:hash roles=… scopes=… expires=…
//	anna:$argon2id$v=19$m=19456,t=2,p=1$… roles=sales,admin
//	cron:$2y$12$… roles=reports
//	feed:$sha256$9f86d0… roles=reports scopes=tasks:write expires=2027-06-30
//
// The hash is of a password (argon2id or bcrypt) or of a bearer token (SHA-256 of
// 256 random bits, which need no slow hash). Roles are what a descriptor's
// requiredRoles names, scopes what the plugin's interfaces ask for. Expires is a
// day or an RFC 3339 time, after which the line is void.
//
// The file must belong to its owner alone. It is read again when it changes; one
// that cannot be read leaves the former in force, and the log says so.
//
// # Cost
//
// A password hash is slow on purpose, which must not become a way to exhaust the
// host: only Options.Hashes run at the same time, a bounded number waits for them,
// and what was verified is remembered for Options.Cache, in memory and under a
// keyed digest, so that a client that sends its password with each request costs
// one hash a minute. A name that is not there costs the same hash as one that is.
//
// Wrong credentials are counted by client address and name, and by address alone.
// Beyond the bound, requests with a password that is not remembered are refused
// unheard (429) until the window has passed.
//
// # JSON Web Tokens
//
// The algorithms, the issuer and the audience are fixed by configuration, exp is
// required, and nbf and iat are checked where they are there. Keys are in a file, as a JWKS or
// PEM; a key fits only its own kind of algorithm, so that a public key is never
// taken for a secret. A kid, if given, must be known. Header fields that point to
// keys elsewhere (jku, x5u, jwk) are not looked at, and crit is refused.
package auth
