package config_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/config"
)

func roundTrip[T any](t *testing.T, c config.Codec[T], v T, data string) {
	t.Helper()
	got, err := c.Encode(v)
	require.NoError(t, err)
	require.Equal(t, data, string(got))
	var back T
	require.NoError(t, c.Decode(got, &back))
	require.Equal(t, v, back)
}

func refused[T any](t *testing.T, c config.Codec[T], data, says string) {
	t.Helper()
	var v T
	require.ErrorContains(t, c.Decode([]byte(data), &v), says)
}

func TestCodecs(t *testing.T) {
	roundTrip(t, config.JSON[limits]{}, limits{Max: 1}, `{"max":1}`)
	roundTrip(t, config.JSON[limits]{Strict: true, Indent: " "}, limits{Max: 1}, "{\n \"max\": 1\n}")
	roundTrip(t, config.Text{}, "ü", "ü")
	roundTrip(t, config.Raw{}, []byte{0, 255}, "\x00\xff")
	roundTrip(t, config.Count{}, -2, "\xff\xff\xff\xfe")
	refused(t, config.JSON[limits]{}, `{"max":1} x`, "invalid character")
	refused(t, config.JSON[limits]{Strict: true}, `{"max":1} {}`, "follows")
	refused(t, config.JSON[limits]{Strict: true}, `{"max":1} x`, "follows")
	refused(t, config.JSON[limits]{Strict: true}, `{"most":1}`, "unknown field")
	refused(t, config.Text{}, "\xff", "not UTF-8")
	refused(t, config.Count{}, "", "4 bytes, this is 0")
	_, err := config.Text{}.Encode("\xff")
	require.Error(t, err)
}
