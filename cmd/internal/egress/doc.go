// Package egress decides which addresses the host may call on behalf of those who
// write tasks, subscriptions and data services: none of them may turn the host
// into a way into the networks that it stands in.
//
// What counts is the address that is connected to, after resolution, not the name
// that was written: a Policy is asked in net.Dialer.Control, so a name that
// resolves to something else the second time (DNS rebinding) leads nowhere, and so
// does every spelling of an address.
//
//	never     link-local and the metadata services of clouds, multicast,
//	          unspecified, reserved and broadcast addresses, whatever is allowed
//	internal  loopback and private networks: only what an allow rule names
//	public    the rest: unless the policy is closed, which needs a rule for each
//
// IPv6 addresses that stand for an IPv4 one (mapped, compatible, translated, NAT64,
// 6to4) are judged as both; those that hide one (Teredo, a NAT64 prefix of one's
// own) are never called. Sockets other than TCP are never used, and neither are
// the proxies that the environment names.
//
// A rule is loopback, private, an address or a CIDR network, with a port or
// without: 10.0.0.0/8, 10.1.2.3:8080, [fd00::/8]:443.
//
// A proxy of the host's own (ClientOptions.Proxy) is connected to as the policy
// permits and resolves names itself. Addresses that are written out are judged
// here all the same; where names lead is the proxy's to judge, but for names of
// this machine, which are never asked of it, and a closed policy, which refuses
// all names then.
//
// What is refused is a *Refusal: permanent, as long as the rules stand.
//
// The package is policy and net/http plumbing alone, and knows nothing of what is
// called; cmd/internal/app gives it to those who call.
package egress
