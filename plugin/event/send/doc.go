// Package send delivers messages: mail by SMTP or into a folder, and webhooks.
// Every sender meets event.Sender: nil means that the receiver has accepted the
// message, an error says whether to try again.
//
// # Mail
//
// One message has one recipient and a Message-ID made of the message's id, so
// that a second copy is recognised. Addresses are plain ASCII ones without a
// display name; a control character anywhere in an address refuses it, in a
// subject it becomes a blank. So no header can be injected. A refusal by the
// server of the recipient or of the content (5xx) is permanent; anything else,
// such as a server that is down or does not want our password, is tried again.
//
// # Webhooks
//
// A POST of JSON, like Hook in this package. With a secret it is signed:
//
//	Belfry-Timestamp: 1764000000
//	Belfry-Signature: v1=<hex of HMAC-SHA256(secret, timestamp + "." + body)>
//
// A receiver computes the same over the raw body, compares in constant time and
// refuses a timestamp that is more than five minutes off; Verify does so. The
// header Idempotency-Key holds the message's id: a second copy has the same.
//
// 2xx is acceptance. 400, 405, 410, 413, 414, 415, 422 and 431, and redirects that are
// not followed, are permanent; all else is tried again, with 429 and 503 not
// before Retry-After. Only 307 and 308 to the same scheme and host are followed.
//
// Where webhooks may go is decided by the Egress that the host gives, which judges
// the address that is connected to. Proxies named by the environment are not used.
package send
