package ensemble

import (
	"context"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"
)

// containerWatch waits for the end of a container that runs.
type containerWatch struct {
	stop context.CancelFunc
	done chan struct{}

	// To be read after done. Not seen means that the engine could not be asked.
	code int64
	seen bool
}

// watchContainer begins to wait; the caller closes the watch.
func watchContainer(ctx context.Context, e *containerEngine, id string) *containerWatch {
	ctx, stop := context.WithCancel(ctx)
	w := &containerWatch{stop: stop, done: make(chan struct{})}
	go func() {
		defer close(w.done)
		wait := e.api.ContainerWait(ctx, id, client.ContainerWaitOptions{Condition: container.WaitConditionNotRunning})
		select {
		case got := <-wait.Result:
			w.code, w.seen = got.StatusCode, true
		case err := <-wait.Error:
			_ = err // seen stays false: how it ended is not known
		}
	}()
	return w
}

// ended returns the exit code if the container has ended.
func (w *containerWatch) ended() (code int64, ended bool) {
	select {
	case <-w.done:
		return w.code, w.seen
	default:
		return 0, false
	}
}

func (w *containerWatch) close() {
	w.stop()
	<-w.done
}
