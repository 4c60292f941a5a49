package recipes_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/recipes"
)

// document is something to encode.
type document struct {
	Max int `json:"max"`
}

func roundTrip[T any](t *testing.T, c recipes.Codec[T], v T, data string) {
	t.Helper()
	got, err := c.Encode(v)
	require.NoError(t, err)
	require.Equal(t, data, string(got))
	var back T
	require.NoError(t, c.Decode(got, &back))
	require.Equal(t, v, back)
}

func refused[T any](t *testing.T, c recipes.Codec[T], data, says string) {
	t.Helper()
	var v T
	require.ErrorContains(t, c.Decode([]byte(data), &v), says)
}

func TestCodecs(t *testing.T) {
	roundTrip(t, recipes.JSON[document]{}, document{Max: 1}, `{"max":1}`)
	roundTrip(t, recipes.JSON[document]{Strict: true, Indent: " "}, document{Max: 1}, "{\n \"max\": 1\n}")
	roundTrip(t, recipes.Text{}, "ü", "ü")
	roundTrip(t, recipes.Raw{}, []byte{0, 255}, "\x00\xff")
	refused(t, recipes.JSON[document]{}, `{"max":1} x`, "invalid character")
	refused(t, recipes.JSON[document]{Strict: true}, `{"max":1} {}`, "follows")
	refused(t, recipes.JSON[document]{Strict: true}, `{"max":1} x`, "follows")
	refused(t, recipes.JSON[document]{Strict: true}, `{"most":1}`, "unknown field")
	refused(t, recipes.Text{}, "\xff", "not UTF-8")
	_, err := recipes.Text{}.Encode("\xff")
	require.Error(t, err)
}
