package zktest

import (
	"bytes"
	"io"
	"net"
	"os"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func pipeForTest() (near, far *memConn) {
	return memPipe(&net.TCPAddr{Port: 1}, &net.TCPAddr{Port: 2})
}

// What is written arrives in order, however much there is and however it is cut up.
func TestMemConnCarries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := pipeForTest()
		sent := bytes.Repeat([]byte("0123456789abcdef"), memBuffer/8)
		go func() {
			for rest := sent; len(rest) > 0; {
				n := min(len(rest), 70_001)
				_, err := near.Write(rest[:n])
				if err != nil {
					panic(err)
				}
				rest = rest[n:]
			}
			_ = near.CloseWrite()
		}()
		got, err := io.ReadAll(far)
		require.NoError(t, err)
		require.True(t, bytes.Equal(sent, got))
		_, err = far.Write([]byte("still open"))
		require.NoError(t, err)
		buf := make([]byte, 100)
		n, err := near.Read(buf)
		require.NoError(t, err)
		require.Equal(t, "still open", string(buf[:n]))
		_, err = near.Write([]byte("x"))
		require.ErrorIs(t, err, net.ErrClosed)
	})
}

func TestMemConnDeadlines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := pipeForTest()
		began := time.Now()
		require.NoError(t, near.SetReadDeadline(began.Add(time.Hour)))
		require.NoError(t, near.SetReadDeadline(began.Add(time.Second))) // the later one counts
		_, err := near.Read(make([]byte, 1))
		require.ErrorIs(t, err, os.ErrDeadlineExceeded)
		var ne net.Error
		require.ErrorAs(t, err, &ne)
		require.True(t, ne.Timeout())
		require.Equal(t, time.Second, time.Since(began))
		require.NoError(t, near.SetWriteDeadline(time.Now().Add(time.Second)))
		n, err := near.Write(make([]byte, memBuffer+1))
		require.ErrorIs(t, err, os.ErrDeadlineExceeded)
		require.Equal(t, memBuffer, n, "the buffer is full")
		require.NoError(t, near.SetDeadline(time.Time{}))
		go func() { _, _ = far.Read(make([]byte, 10)) }()
		_, err = near.Write([]byte("fits again"))
		require.NoError(t, err)
		// A deadline that is moved wakes who waits.
		go func() {
			time.Sleep(time.Second)
			_ = near.SetReadDeadline(time.Now())
		}()
		_, err = near.Read(make([]byte, 1))
		require.ErrorIs(t, err, os.ErrDeadlineExceeded)
	})
}

func TestMemConnEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := pipeForTest()
		go func() {
			time.Sleep(time.Second)
			_, _ = far.Write([]byte("last words"))
			_ = far.Close()
		}()
		got, err := io.ReadAll(near)
		require.NoError(t, err)
		require.Equal(t, "last words", string(got))
		_, err = near.Write([]byte("x"))
		require.ErrorIs(t, err, syscall.EPIPE)
		_, err = far.Read(make([]byte, 1))
		require.ErrorIs(t, err, net.ErrClosed)
		require.NoError(t, near.Close())
		require.NoError(t, near.Close())

		near, far = pipeForTest()
		_, err = far.Write([]byte("lost"))
		require.NoError(t, err)
		require.NoError(t, far.SetLinger(0))
		require.NoError(t, far.SetDeadline(time.Now().Add(time.Hour)))
		require.NoError(t, far.Close())
		_, err = near.Read(make([]byte, 1))
		require.ErrorIs(t, err, syscall.ECONNRESET)
		// Who waits for the other side is woken.
		near, far = pipeForTest()
		go func() {
			time.Sleep(time.Second)
			_ = near.Close()
		}()
		_, err = near.Read(make([]byte, 1))
		require.ErrorIs(t, err, net.ErrClosed)
		_, err = far.Read(make([]byte, 1))
		require.ErrorIs(t, err, io.EOF)
	})
}
