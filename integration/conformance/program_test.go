package conformance

import (
	"fmt"
	"slices"
	"strings"

	"github.com/zookit/zookit/internal/jute"
)

// root is the node below which programs work. It is made before a program begins.
const root = "/t"

// program is what a few clients do, a step at a time.
type program []step

// step is what one client does: it hangs up, or takes up a session, or sends requests.
type step struct {
	Who    string
	HangUp bool
	// Resume is the client whose session is taken up, the latest that it had; with a wrong
	// password if Wrong, and with a claim to have Seen a transaction, counted from the beginning.
	Resume string
	Wrong  bool
	Seen   int64
	// Ask are the requests, which are sent without waiting for the replies to those before.
	Ask []request
}

// performer has a program done by one server.
type performer struct {
	*talk
}

func perform(k *talk) *performer {
	p := &performer{talk: k}
	p.create("a", root)
	return p
}

// do goes one step and returns the lines about it.
func (p *performer) do(s step) []string {
	p.t.Helper()
	begin := len(p.lines)
	switch {
	case s.HangUp:
		if v := p.voices[s.Who]; v != nil {
			v.hangUp()
			p.forget(s.Who)
			p.note("%s hangs up", s.Who)
		}
		p.settle()
	case s.Resume != "":
		p.resume(s)
		p.settle()
	default:
		p.askAll(s.Who, s.Ask...)
	}
	lines := p.lines[begin:]
	unorderEnds(lines)
	return lines
}

// resume takes a session up on a new connection, or tries to.
func (p *performer) resume(s step) {
	p.t.Helper()
	had := p.had[s.Resume]
	if had == nil {
		had = &jute.ConnectResponse{SessionID: 0x1234, Password: make([]byte, 16)}
	}
	r := &jute.ConnectRequest{
		TimeoutMillis: 30_000, SessionID: had.SessionID, Password: slices.Clone(had.Password), LastZxidSeen: p.base + s.Seen,
	}
	if s.Wrong {
		r.Password[3] ^= 0x55
	}
	before := p.voices[s.Who]
	v := p.greet(s.Who, r)
	if before != nil {
		before.hangUp() // which the server may have done already
	}
	if v == nil {
		delete(p.voices, s.Who)
	} else if v.at.SessionID == 0 {
		_, err := v.read() // the server hangs up
		p.ended(err)
		p.forget(s.Who)
	}
}

// end closes all sessions, those too that nobody has a connection for any more, so that
// none expires while another program runs.
func (p *performer) end() {
	for who, v := range p.voices {
		delete(p.opened, v.at.SessionID)
		p.say(who)
	}
	for id, had := range p.opened {
		if v := p.greet("end", &jute.ConnectRequest{TimeoutMillis: 30_000, SessionID: id, Password: had.Password}); v != nil {
			p.say("end")
		}
	}
}

// say is the last word of a client.
func (p *performer) say(who string) {
	v := p.voices[who]
	v.write(&jute.RequestHeader{Xid: 1 << 30, Op: jute.OpCloseSession})
	for {
		if _, err := v.read(); err != nil {
			p.ended(err)
			break
		}
	}
	p.forget(who)
}

// unorderEnds sorts the events that a connection gets in one step if a session ends in it:
// the order in which its nodes go is that of a hash table.
func unorderEnds(lines []string) {
	if !slices.ContainsFunc(lines, func(line string) bool { return strings.Contains(line, "> closeSession") }) {
		return
	}
	for i := 0; i < len(lines); {
		who, _, event := strings.Cut(lines[i], "< event ")
		n := i + 1
		for event && n < len(lines) && strings.HasPrefix(lines[n], who+"< event ") {
			n++
		}
		slices.Sort(lines[i:n])
		i = n
	}
}

// GoString writes a program as Go, for the table of programs.
func (p program) GoString() string {
	var b strings.Builder
	b.WriteString("program{\n")
	for _, s := range p {
		fmt.Fprintf(&b, "\t{Who: %q", s.Who)
		if s.HangUp {
			b.WriteString(", HangUp: true")
		}
		if s.Resume != "" {
			fmt.Fprintf(&b, ", Resume: %q", s.Resume)
		}
		if s.Wrong {
			b.WriteString(", Wrong: true")
		}
		if s.Seen != 0 {
			fmt.Fprintf(&b, ", Seen: %d", s.Seen)
		}
		if len(s.Ask) > 0 {
			b.WriteString(", Ask: []request{")
			for i, r := range s.Ask {
				if i > 0 {
					b.WriteString(", ")
				}
				b.WriteString(source(r.Op, r.Body))
			}
			b.WriteString("}")
		}
		b.WriteString("},\n")
	}
	b.WriteString("}")
	return b.String()
}

// source writes a request as Go.
func source(op jute.Op, body jute.Record) string {
	text := "nil"
	switch b := body.(type) {
	case nil:
	case *jute.MultiRequest:
		var ops []string
		for _, o := range b.Ops {
			ops = append(ops, source(o.Op, o.Body))
		}
		text = "&jute.MultiRequest{Ops: []jute.MultiOp{" + strings.Join(ops, ", ") + "}}"
	default:
		text = strings.ReplaceAll(fmt.Sprintf("%#v", body), "[]uint8", "[]byte")
	}
	return fmt.Sprintf("{%d, %s}", op, text)
}
