package wire

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const (
	ms      = time.Millisecond
	halfT   = 1500 * ms // half a tick in these tests; the session timeout is 6 s
	nothing = time.Duration(-1)
)

var dawn = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// step is a connection or an answered frame; its times count from dawn.
type step struct {
	opens    bool // a connection
	fresh    bool // with a new session
	timeout  time.Duration
	sent     time.Duration
	answered time.Duration
	commits  bool
}

func opened(at time.Duration) step { return step{opens: true, sent: at, timeout: sessionTimeout} }
func created(at time.Duration) step {
	return step{opens: true, fresh: true, sent: at, timeout: sessionTimeout}
}
func frame(at time.Duration) step          { return step{sent: at, answered: at + ms} }
func slow(at, answered time.Duration) step { return step{sent: at, answered: answered} }
func commit(at time.Duration) step         { return step{sent: at, answered: at + 10*ms, commits: true} }

func (s step) with(timeout time.Duration) step { s.timeout = timeout; return s }

func (s step) apply(p *proof) {
	if s.opens {
		p.connected(dawn.Add(s.sent), s.timeout, halfT, s.fresh)
		return
	}
	p.answered(dawn.Add(s.sent), dawn.Add(s.answered), s.commits)
}

// what the answers prove, by example: confirmed and heard are f and the newest
// send time with the timeout added.
func TestProof(t *testing.T) {
	const T = sessionTimeout
	for name, test := range map[string]struct {
		steps            []step
		confirmed, heard time.Duration
	}{
		"nothing":                   {nil, nothing, nothing},
		"a new session":             {[]step{created(100 * ms)}, 100*ms + T, 100*ms + T},
		"a session taken up":        {[]step{opened(100 * ms)}, nothing, 100*ms + T},
		"frames confirm nothing":    {[]step{opened(0), frame(1 * time.Second), frame(5 * time.Second)}, nothing, 5*time.Second + T},
		"nor add to what is proved": {[]step{created(0), frame(1 * time.Second), frame(5 * time.Second)}, T, 5*time.Second + T},
		"a write at once":           {[]step{opened(0), commit(10 * ms)}, T, 10*ms + T},
		"a write later":             {[]step{opened(0), commit(5 * time.Second)}, T, 5*time.Second + T},
		"a frame before the write":  {[]step{opened(0), frame(time.Second), commit(3 * time.Second)}, time.Second + T, 3*time.Second + T},
		"the newest that counts": {[]step{opened(0), frame(time.Second), frame(2 * time.Second), frame(3 * time.Second), commit(4 * time.Second)},
			2*time.Second + T, 4*time.Second + T},
		"answered half a tick before to the millisecond": {[]step{opened(0), frame(time.Second), commit(time.Second + halfT + ms)}, time.Second + T, time.Second + halfT + ms + T},
		"and a millisecond less":                         {[]step{opened(0), frame(time.Second), commit(time.Second + halfT)}, T, time.Second + halfT + T},
		// Sent long before the write, but held up on its way: it may have reached the
		// server together with the write, and not been reported by then.
		"sent in time, answered too late": {[]step{opened(0), slow(time.Second, 2900*ms), commit(3 * time.Second)}, T, 3*time.Second + T},
		"held up, and one that was not":   {[]step{opened(0), frame(500 * ms), slow(time.Second, 2900*ms), commit(3 * time.Second)}, 500*ms + T, 3*time.Second + T},
		"one write is another's frame":    {[]step{opened(0), commit(2 * time.Second), commit(4 * time.Second)}, 2*time.Second + T, 4*time.Second + T},
		"a write behind which there is news": {[]step{opened(0), frame(time.Second), commit(3 * time.Second), frame(5 * time.Second)},
			time.Second + T, 5*time.Second + T},

		// Another connection may be to another server: what was answered over an
		// earlier one may never have been reported.
		"a new connection keeps what was proved": {[]step{created(0), frame(time.Second), commit(3 * time.Second), opened(5 * time.Second)},
			time.Second + T, 5*time.Second + T},
		"it counts itself, without half a tick": {[]step{created(0), frame(time.Second), opened(5 * time.Second), commit(5100 * ms)},
			5*time.Second + T, 5100*ms + T},
		"frames of an earlier one do not count": {[]step{created(0), opened(time.Second), frame(2 * time.Second), opened(2500 * ms), commit(4 * time.Second)},
			2500*ms + T, 4*time.Second + T},
		"late answers of an earlier one neither": {[]step{created(0), opened(2 * time.Second), {sent: time.Second, answered: 2100 * ms, commits: true}},
			T, 2*time.Second + T},
		"nor do they hide later ones": {[]step{created(0), opened(2 * time.Second), slow(time.Second, 2100*ms), frame(3 * time.Second), commit(5 * time.Second)},
			3*time.Second + T, 5*time.Second + T},

		// A server with other limits: what was confirmed under the old timeout gains
		// nothing by a longer one, and a shorter one cuts it.
		"a longer timeout":                 {[]step{created(0), opened(time.Second).with(2 * T)}, T, time.Second + 2*T},
		"a longer timeout, confirmed":      {[]step{created(0), opened(time.Second).with(2 * T), commit(2 * time.Second)}, time.Second + 2*T, 2*time.Second + 2*T},
		"a shorter timeout":                {[]step{created(0), opened(time.Second).with(T / 2)}, T / 2, time.Second + T/2},
		"a shorter one, and the first one": {[]step{created(0), opened(time.Second).with(T / 2), opened(2 * time.Second)}, T / 2, 2*time.Second + T},
	} {
		t.Run(name, func(t *testing.T) {
			var p proof
			for _, s := range test.steps {
				s.apply(&p)
			}
			check := func(want time.Duration, got time.Time, what string) {
				if want == nothing {
					require.True(t, got.IsZero(), "%s until %v", what, got.Sub(dawn))
					return
				}
				require.Equal(t, want, got.Sub(dawn), "%s until", what)
			}
			check(test.confirmed, p.confirmedUntil(), "confirmed")
			check(test.heard, p.heardUntil(), "heard")
		})
	}
}

// exact computes what the whole history proves, slowly and from the definition.
func exact(history []step) time.Time {
	var until time.Time
	for i, s := range history {
		switch {
		case s.opens:
			if s.fresh {
				until = dawn.Add(s.sent + s.timeout)
			}
		case s.commits:
			var conn step
			f := nothing
			for _, e := range history[:i] {
				switch {
				case e.opens:
					conn, f = e, e.sent
				case e.sent >= conn.sent && e.answered <= s.sent-halfT:
					f = max(f, e.sent)
				}
			}
			if s.sent >= conn.sent {
				until = later(until, dawn.Add(f+conn.timeout))
			}
		}
	}
	return until
}

// randomHistory is a session with a few connections, busy or idle, over a
// network that now and then holds everything up.
func randomHistory(rnd *rand.Rand) []step {
	var history []step
	now := time.Duration(0)
	for conn := range 1 + rnd.IntN(3) {
		history = append(history, step{opens: true, fresh: conn == 0 && rnd.IntN(4) > 0, sent: now, timeout: sessionTimeout})
		gap := time.Duration(1+rnd.IntN(1000)) * ms
		arrival := now
		for range rnd.IntN(200) {
			now += time.Duration(rnd.Int64N(int64(gap)))
			delay := time.Duration(rnd.IntN(5)) * ms
			if rnd.IntN(30) == 0 {
				delay = time.Duration(rnd.IntN(4000)) * ms
			}
			arrival = max(arrival, now+delay)
			history = append(history, step{sent: now, answered: arrival, commits: rnd.IntN(5) == 0})
		}
		now = arrival + time.Duration(rnd.IntN(2000))*ms
	}
	return history
}

// Whatever is thinned and forgotten on the way, the bound is never later than what
// the full history proves, and earlier by little.
func TestProofAgainstFullHistory(t *testing.T) {
	const loss = sessionTimeout/64 + 1
	for seed := range uint64(400) {
		history := randomHistory(rand.New(rand.NewPCG(seed, 1)))
		var p proof
		for i, s := range history {
			s.apply(&p)
			if !s.commits && !s.opens && i%7 > 0 {
				continue
			}
			want, got := exact(history[:i+1]), p.confirmedUntil()
			require.False(t, got.After(want), "seed %d step %d: %v later than proved", seed, i, got.Sub(want))
			require.Equal(t, want.IsZero(), got.IsZero(), "seed %d step %d", seed, i)
			require.Less(t, want.Sub(got), loss, "seed %d step %d: bound too early", seed, i)
		}
	}
}

// However busy a connection is, few send times are kept.
func TestProofKeepsLittle(t *testing.T) {
	var p proof
	created(0).apply(&p)
	for i := range 100_000 {
		at := time.Duration(i) * 100 * time.Microsecond
		step{sent: at, answered: at + 50*ms, commits: i%3 == 0}.apply(&p)
		require.LessOrEqual(t, len(p.frames), int((halfT+50*ms)/(sessionTimeout/64))+2)
	}
	require.LessOrEqual(t, cap(p.frames), 128)
}

// Confirmed every fifth of the timeout, over a healthy network and with half a tick
// of T/4, a session always has 0.35 T or more ahead of it; with T/10 half of T.
func TestProofOfHealthySession(t *testing.T) {
	for half, ahead := range map[time.Duration]time.Duration{
		sessionTimeout / 4:  sessionTimeout * 35 / 100,
		sessionTimeout / 10: sessionTimeout * 50 / 100,
	} {
		var p proof
		p.connected(dawn, sessionTimeout, half, true)
		const rtt = 5 * ms
		now := dawn
		for i := range 1000 {
			now = now.Add(sessionTimeout / 5)
			least := p.confirmedUntil().Sub(now.Add(rtt))
			require.GreaterOrEqual(t, least, ahead-sessionTimeout/64-2*rtt, "confirmation %d, half a tick %v", i, half)
			p.answered(now, now.Add(rtt), true)
		}
	}
}

// A session that is taken up has confirmed nothing and is looked for for its timeout; a
// limit holds for what was confirmed before it and after it.
func TestProofOfSharedSession(t *testing.T) {
	var p proof
	p.resumed(dawn, sessionTimeout)
	require.Equal(t, dawn.Add(sessionTimeout), p.heardUntil())
	require.Zero(t, p.confirmedUntil())
	opened(time.Second).apply(&p)
	require.Equal(t, dawn.Add(time.Second+sessionTimeout), p.heardUntil())
	require.Zero(t, p.confirmedUntil())
	commit(2 * time.Second).apply(&p)
	require.Equal(t, dawn.Add(time.Second+sessionTimeout), p.confirmedUntil())
	p.limit(2 * time.Second)
	require.Equal(t, dawn.Add(3*time.Second), p.confirmedUntil())
	frame(3 * time.Second).apply(&p)
	commit(5 * time.Second).apply(&p)
	require.Equal(t, dawn.Add(5*time.Second), p.confirmedUntil())
	p.limit(time.Hour)
	commit(8 * time.Second).apply(&p)
	require.Equal(t, dawn.Add(5*time.Second+sessionTimeout), p.confirmedUntil())
}
