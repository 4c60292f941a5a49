package inspect

import (
	"cmp"
	"context"
	"net/netip"
	"strings"
	"time"

	"github.com/zookit/zookit/client/admin"
)

// hosts finds out from where sessions are connected: the servers say it, by cons, where they are allowed to.
type hosts struct {
	servers []*admin.Server // none: they are not asked
	say     func(format string, args ...any)
}

// patience is how long is waited for servers to say from where sessions are: others are reached, or the client would not be.
const patience = time.Second

// tell adds to reports from where their parties are connected; where the servers do not tell, data that is an address does, as
// Curator has it by default.
func (h *hosts) tell(ctx context.Context, all ...*report) {
	var parties []*party
	sessions := false
	for _, r := range all {
		for _, some := range [][]party{r.Holders, r.Waiting, r.Members} {
			for i := range some {
				parties = append(parties, &some[i])
				sessions = sessions || some[i].session != 0
			}
		}
	}
	known := map[int64]string{}
	var refused error
	if sessions {
		for _, answer := range admin.All(ctx, h.servers, (*admin.Server).Cons) {
			refused = cmp.Or(refused, answer.Err)
			for _, c := range answer.Value {
				if c.SessionID != 0 {
					known[c.SessionID] = c.Remote
				}
			}
		}
	}
	for _, p := range parties {
		address := strings.TrimSpace(p.Identifier)
		_, err := netip.ParseAddr(address)
		switch {
		case p.session != 0 && known[p.session] != "":
			p.Host = known[p.session]
		case err == nil:
			p.Host = address
		case refused != nil && p.session != 0 && h.say != nil:
			h.say("it is not known from where all sessions are connected: %v", refused)
			h.say = nil // once
		}
	}
}
