package sim_test

import (
	"runtime/debug"
	"testing"

	"github.com/zookit/zookit/internal/testmain"
)

func TestMain(m *testing.M) {
	debug.SetGCPercent(800) // many short runs, each with little that lives
	testmain.Run(m)
}
