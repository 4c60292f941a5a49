package recipefaults

import (
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
)

// fault is what happens in a phase.
type fault struct {
	name    string
	reply   bool          // the reply, or the event, is lost with the connection, and nothing else
	lost    bool          // the session is lost by it
	timeout time.Duration // of the client's session
	strike  func(*scene)  // what happens, while the phase's request is kept from the servers
}

// faults are those of one client's line. Sessions that are to stay are long ones, so that
// they do on a slow machine.
var faults = []fault{
	{name: "reply lost", reply: true, timeout: 20 * time.Second},
	{name: "link cut", timeout: 30 * time.Second, strike: func(s *scene) {
		s.wire.off()
		awaitState(s.t, s.ctx, s.cl, client.Suspended)
		require.NoError(s.t, s.wire.on())
	}},
	{name: "session expired", lost: true, timeout: 10 * time.Second, strike: func(s *scene) {
		s.wire.off()
		awaitState(s.t, s.ctx, s.cl, client.Lost)
		require.NoError(s.t, s.wire.on())
	}},
}

// phase is a moment in a course.
type phase struct {
	step string
	op   int32 // the request that is hit, the nth of its kind in the step; 0: nothing is under way
	nth  int
	name string
	mute bool // nothing is sent in it, whose reply could be lost
}
