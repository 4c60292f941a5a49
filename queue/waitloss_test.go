package queue_test

import (
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/queue"
	"github.com/zookit/zookit/zktest"
)

// A wait outlives connections and sessions, and misses nothing that came meanwhile (Kazoo's never wakes again: K10).
func TestAWaitOutlivesConnections(t *testing.T) {
	t.Parallel()
	for _, layout := range []queue.Layout{queue.Native, queue.KazooLockingQueue} {
		for what, lose := range map[string]func(srv *zktest.Server, session int64){
			"connection": func(srv *zktest.Server, session int64) { srv.DropConnection(session) },
			"session":    func(srv *zktest.Server, session int64) { srv.ExpireSession(session) },
		} {
			t.Run(layout.String()+", "+what, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					srv := zktest.Start(t, zktest.WithInMemoryNetwork())
					producer := texts(connect(t, srv), queue.WithLayout(layout))
					cl := connect(t, srv)
					got := waiting(t.Context(), t, texts(cl, queue.WithLayout(layout)))
					srv.Refuse()
					lose(srv, sessionOf(t, cl))
					put(t, producer, "meanwhile")
					srv.Accept()
					end := <-got
					require.NoError(t, end.err)
					require.Equal(t, "meanwhile", end.item.Value)
					require.NoError(t, end.item.Ack(t.Context()))
				})
			})
		}
	}
}
