package run

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"

	"github.com/zookit/zookit/integration/bench/work"
)

// maxLine bounds an answer of a worker.
const maxLine = 1 << 20

// worker is a process that measures. It has one caller at a time.
type worker struct {
	name    string
	cmd     *exec.Cmd
	in      io.WriteCloser
	answers chan []byte // closed when the process says nothing more
	stop    context.CancelFunc
}

// hire starts a worker. Start gets a context that ends with the worker.
func hire(ctx context.Context, name string, start func(ctx context.Context) (*exec.Cmd, error)) (*worker, error) {
	ctx, stop := context.WithCancel(ctx)
	w := &worker{name: name, answers: make(chan []byte), stop: stop}
	fail := func(err error) (*worker, error) {
		stop()
		return nil, fmt.Errorf("starting the worker of %s: %w", name, err)
	}
	var err error
	if w.cmd, err = start(ctx); err != nil {
		return fail(err)
	}
	if w.in, err = w.cmd.StdinPipe(); err != nil {
		return fail(err)
	}
	out, err := w.cmd.StdoutPipe()
	if err != nil {
		return fail(err)
	}
	if err := w.cmd.Start(); err != nil {
		return fail(err)
	}
	go w.listen(ctx, out)
	return w, nil
}

func (w *worker) listen(ctx context.Context, out io.Reader) {
	defer close(w.answers)
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, maxLine)
	for lines.Scan() {
		select {
		case w.answers <- append([]byte(nil), lines.Bytes()...):
		case <-ctx.Done():
			return
		}
	}
}

// errGone is for a worker that has to be replaced.
var errGone = errors.New("the worker has ended or does not answer")

// do has a spec measured. Mark is called at the marks of the worker. An error that is errGone leaves a worker of no use.
func (w *worker) do(ctx context.Context, s work.Spec, mark func(name string)) (work.Sample, error) {
	line, err := json.Marshal(s)
	if err != nil {
		return work.Sample{}, err
	}
	if _, err := w.in.Write(append(line, '\n')); err != nil {
		return work.Sample{}, fmt.Errorf("%s, work %s: %w: %w", w.name, s.Work, errGone, err)
	}
	for {
		var answer []byte
		var ok bool
		select {
		case answer, ok = <-w.answers:
		case <-ctx.Done():
			return work.Sample{}, fmt.Errorf("%s, work %s: %w: %w", w.name, s.Work, errGone, context.Cause(ctx))
		}
		if !ok {
			return work.Sample{}, fmt.Errorf("%s, work %s: %w", w.name, s.Work, errGone)
		}
		var said struct {
			work.Sample
			Mark string `json:"mark"`
		}
		if err := json.Unmarshal(answer, &said); err != nil {
			return work.Sample{}, fmt.Errorf("%s, work %s: %w: an answer that cannot be read, %.200q: %w", w.name, s.Work, errGone, answer, err)
		}
		if said.Mark == "" {
			return said.Sample, said.Err()
		}
		mark(said.Mark)
		if _, err := io.WriteString(w.in, "\n"); err != nil {
			return work.Sample{}, fmt.Errorf("%s, work %s: %w: %w", w.name, s.Work, errGone, err)
		}
	}
}

// dismiss ends the process: by the end of its input, or by force when ctx ends.
func (w *worker) dismiss(ctx context.Context) {
	_ = w.in.Close()
	for {
		select {
		case _, ok := <-w.answers:
			if ok {
				continue
			}
		case <-ctx.Done():
		}
		break
	}
	w.stop()
	for range w.answers { // until it is read to its end
	}
	_ = w.cmd.Wait()
}
