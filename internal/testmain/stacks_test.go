package testmain_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/internal/testmain"
)

func TestMain(m *testing.M) { testmain.Run(m) }

func inside(on <-chan struct{}) { <-on }

func outside(on <-chan struct{}) { <-on }

func running(name string) bool {
	return strings.Contains(strings.Join(testmain.Stacks(), "\n\n"), "testmain_test."+name+"(")
}

func TestStacksAreThoseOfTheBubble(t *testing.T) {
	on := make(chan struct{})
	done := make(chan struct{})
	go func() {
		defer close(done)
		outside(on)
	}()
	synctest.Test(t, func(t *testing.T) {
		require.False(t, running("inside"))
		on := make(chan struct{})
		go inside(on)
		synctest.Wait()
		require.True(t, running("inside"))
		require.False(t, running("outside"))
		require.Contains(t, testmain.Stacks()[0], t.Name(), "its own first")
		close(on)
		synctest.Wait()
		require.False(t, running("inside"))
	})
	require.Eventually(t, func() bool { return running("outside") }, 30*time.Second, time.Millisecond)
	close(on)
	<-done
}
