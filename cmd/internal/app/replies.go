package app

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"net"
	"slices"
	"strings"

	"github.com/seed42aab489/belfry/plugin/control/contract"
)

// maxReplyAddresses bounds the hosts that a call names for its reply.
const maxReplyAddresses = 8

// replyAddresses are the base addresses at which hosts of the group take replies
// now: what the configuration says, else this host's first and then the others'.
func (a *App) replyAddresses(ctx context.Context) []string {
	if base := a.o.Loaded.Config.Calls.ReplyURL; base != "" {
		return []string{strings.TrimSuffix(base, "/") + asyncPath}
	}
	var own, others []string
	members, _, err := a.plugin.Link().Members(ctx)
	if err != nil {
		a.log.Debug("the group's addresses are not known", "err", err)
	}
	for _, m := range members {
		var info contract.NodeInfo
		if json.Unmarshal(m.Value, &info) != nil || info.Replies == contract.NoReplies {
			continue
		}
		base := info.Replies
		if base == "" && info.Address != "" { // of an earlier version
			base = "http://" + reachable(info.Address, m.ID.Node())
		}
		switch {
		case base == "":
		case m.ID.Node() == a.o.Loaded.Config.Node:
			own = append(own, base+asyncPath)
		default:
			others = append(others, base+asyncPath)
		}
	}
	slices.Sort(others)
	all := append(own, slices.Compact(others)...)
	return all[:min(len(all), maxReplyAddresses)]
}

// replyBase is where a host takes replies, by its listeners: host:port each, empty
// if there is none or its port is not known yet. The plain one is named unless it
// is this machine's alone and the https one is not. The https one is named by its
// address or by the node's name, whichever its certificate is for: anything else
// the caller would not trust. Empty: nowhere that can be told.
func replyBase(node, plain, secure string, leaf *x509.Certificate) string {
	here := plain != "" && loopback(plain)
	if plain != "" && (!here || secure == "" || loopback(secure)) {
		return "http://" + reachable(plain, node)
	}
	if host, port, err := net.SplitHostPort(secure); err == nil && leaf != nil {
		for _, name := range []string{host, node} {
			if name != "" && leaf.VerifyHostname(name) == nil {
				return "https://" + net.JoinHostPort(name, port)
			}
		}
	}
	if plain != "" {
		return "http://" + reachable(plain, node)
	}
	return ""
}

// repliesNow is replyBase by the listeners as they are.
func (a *App) repliesNow() string {
	plain := a.Addr()
	if a.addr == a.secure {
		plain = ""
	}
	return replyBase(a.o.Loaded.Config.Node, plain, a.SecureAddr(), a.leaf)
}

// reachable is a listener's address as others may reach it: one that listens
// everywhere is known by its node's name, which is the machine's unless told
// otherwise.
func reachable(address, node string) string {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return address
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = node
	}
	return net.JoinHostPort(host, port)
}

// warnOfReplies tells at the start what a task that waits for a reply would tell
// when it fires.
func (a *App) warnOfReplies() {
	c := a.o.Loaded.Config
	if c.Calls.ReplyURL != "" || a.repliesNow() != "" {
		return
	}
	a.log.Warn("nobody can be told to reply to this host: its certificate is neither for the address at which it listens nor for the node's name; "+
		"set tasks.reply_url, or tasks that wait for a reply fail", "https", a.SecureAddr(), "node", c.Node)
}
