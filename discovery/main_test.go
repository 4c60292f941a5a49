package discovery_test

import (
	"testing"

	"github.com/zookit/zookit/internal/testmain"
)

func TestMain(m *testing.M) { testmain.Run(m) }
