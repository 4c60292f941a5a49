package zktest_test

import (
	"bytes"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/internal/jute"
	"github.com/zookit/zookit/zktest"
)

// Requests and replies of all lengths, many under way at a time in both directions, arrive whole and in
// order; what is set stays as it was sent when the next requests come. Events come in between.
func TestPipelineCarries(t *testing.T) {
	const rounds = 300
	for _, network := range networks {
		t.Run(network.name, func(t *testing.T) {
			s := zktest.Start(t, network.opts...)
			w := enter(t, s)
			require.NoError(t, w.nc.SetDeadline(time.Now().Add(3*deadline)))
			w.mustCreate("/a", 0)
			w.mustCreate("/b", 0)
			w.addWatch("/b", jute.AddWatchPersistent)
			values := make([][]byte, rounds)
			random := rand.New(rand.NewPCG(1, 2))
			for i := range values {
				length := random.IntN(200)
				if i%10 == 0 {
					length = random.IntN(100_000)
				}
				values[i] = bytes.Repeat([]byte{byte(i), byte(i >> 8)}, length/2+1)
			}
			first := w.xid + 1
			var senders sync.WaitGroup
			defer senders.Wait()
			senders.Go(func() {
				var e jute.Encoder
				for i, value := range values {
					e.B = e.B[:0]
					appendRequest(&e, first+int32(2*i), jute.OpSetData, &jute.SetDataRequest{Path: "/a", Data: value, Version: -1})
					appendRequest(&e, first+int32(2*i)+1, jute.OpGetData, &jute.PathWatchRequest{Path: "/a"})
					if _, err := w.nc.Write(e.B); err != nil {
						return // and the reader misses the replies
					}
				}
			})
			senders.Go(func() {
				for range rounds {
					if err := s.Set("/b", []byte("x")); err != nil {
						return // and the reader misses the events
					}
				}
			})
			events, replies := 0, int32(0)
			for events < rounds || replies < 2*rounds {
				d := jute.NewDecoder(w.read())
				var h jute.ReplyHeader
				h.Decode(d)
				if h.Xid == jute.XidNotification {
					var ev jute.WatcherEvent
					ev.Decode(d)
					require.Equal(t, "/b", ev.Path)
					events++
					continue
				}
				require.Equal(t, first+replies, h.Xid)
				require.Equal(t, jute.OK, h.Err)
				if replies%2 == 1 {
					var body jute.DataReply
					body.Decode(d)
					require.True(t, bytes.Equal(values[replies/2], body.Data), "value %d", replies/2)
				}
				replies++
			}
			n, _ := s.Node("/a")
			require.True(t, bytes.Equal(values[rounds-1], n.Data))
		})
	}
}
