package config_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/config"
)

// C18: an empty node is an error that says so.
func TestCount(t *testing.T) {
	data, err := config.Count{}.Encode(-2)
	require.NoError(t, err)
	require.Equal(t, "\xff\xff\xff\xfe", string(data))
	var n int32
	require.NoError(t, config.Count{}.Decode(data, &n))
	require.Equal(t, int32(-2), n)
	require.ErrorContains(t, config.Count{}.Decode(nil, &n), "4 bytes, this is 0")
}
