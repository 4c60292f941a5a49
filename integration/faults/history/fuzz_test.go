package history_test

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/integration/faults/history"
)

// Whatever a program has written is read, or refused as malformed; what was read can be written and read again.
func FuzzRead(f *testing.F) {
	f.Add([]byte(`{"time":1,"process":"p","client":"c","op":1,"kind":"invoke","name":"get","args":{"key":1}}` + "\n"))
	f.Add([]byte(`{"time":2,"process":"p","client":"c","op":1,"kind":"ok","name":"get","result":{"v":"\u00e9"}}` + "\n" + `{"time":`))
	f.Add([]byte(`{"kind":"note","name":"stopped","args":{"process":"p"}}` + "\n\n"))
	f.Add([]byte("\n[]\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		events, err := history.Read(bytes.NewReader(data))
		if err != nil {
			require.ErrorIs(t, err, history.ErrMalformed)
			return
		}
		h := history.Merge(events)
		ops := h.Operations()
		h.Stops()
		h.Span()
		var out bytes.Buffer
		require.NoError(t, h.Write(&out))
		again, err := history.Read(&out)
		require.NoError(t, err)
		require.Len(t, again, len(events))
		require.Len(t, history.Merge(again).Operations(), len(ops))
	})
}
