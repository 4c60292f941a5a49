package stub_test

import (
	"encoding/binary"
	"io"
	"net"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/integration/bench/stub"
)

func TestAClientWorks(t *testing.T) {
	t.Parallel()
	srv, err := stub.New(100)
	require.NoError(t, err)
	cl, err := client.Connect(t.Context(), srv.Addr())
	require.NoError(t, err)
	made, err := cl.Create(t.Context(), "/a", nil)
	require.NoError(t, err)
	require.Equal(t, "/a", made.Path)
	data, _, err := cl.Get(t.Context(), "/a")
	require.NoError(t, err)
	require.Len(t, data, 100)
	_, err = cl.Set(t.Context(), "/a", nil, client.AnyVersion)
	require.NoError(t, err)
	_, there, err := cl.Exists(t.Context(), "/a")
	require.NoError(t, err)
	require.True(t, there)
	names, _, err := cl.Children(t.Context(), "/a")
	require.NoError(t, err)
	require.Empty(t, names)
	require.NoError(t, cl.Delete(t.Context(), "/a", client.AnyVersion))
	require.NoError(t, cl.Close())
	require.NoError(t, srv.Close())
}

// What is no request ends its connection and nothing else.
func TestGarbage(t *testing.T) {
	t.Parallel()
	srv, err := stub.New(100)
	require.NoError(t, err)
	defer srv.Close()
	for _, size := range []uint32{0, 7, 1 << 31, 1 << 24} {
		c, err := net.Dial("tcp", srv.Addr())
		require.NoError(t, err)
		_, err = c.Write(binary.BigEndian.AppendUint32(nil, size))
		require.NoError(t, err)
		_, err = io.ReadAll(c)
		require.NoError(t, err)
		require.NoError(t, c.Close())
	}
	// A create without a path.
	c, err := net.Dial("tcp", srv.Addr())
	require.NoError(t, err)
	handshake := append([]byte{0, 0, 0, 8}, make([]byte, 8)...)
	_, err = c.Write(append(handshake, 0, 0, 0, 8, 0, 0, 0, 1, 0, 0, 0, 1))
	require.NoError(t, err)
	_, err = io.ReadFull(c, make([]byte, 41+20))
	require.NoError(t, err)
	require.NoError(t, c.Close())
}
