package lab

import (
	"context"
	"errors"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/integration/faults/history"
	"github.com/zookit/zookit/integration/faults/resource"
	"github.com/zookit/zookit/integration/faults/workload"
)

// resources are what the workloads protect, served to the workers.
type resources struct {
	server  *http.Server
	address string
	done    chan struct{}
	records []*history.Recorder
}

func openResources(dir string, works []*workload.Workload) (*resources, error) {
	g := &resources{done: make(chan struct{})}
	mux := http.NewServeMux()
	for _, w := range works {
		if err := os.MkdirAll(filepath.Join(dir, w.Name), 0o755); err != nil {
			return nil, err
		}
		record, err := history.Create(filepath.Join(dir, w.Name, "resource.jsonl"), "resource")
		if err != nil {
			return nil, err
		}
		g.records = append(g.records, record)
		mux.Handle("/"+w.Name+"/", http.StripPrefix("/"+w.Name, resource.Handler(resource.NewMemory(w.Guarded, record))))
	}
	var config net.ListenConfig
	listener, err := config.Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	g.address = listener.Addr().String()
	g.server = &http.Server{Handler: mux, ReadHeaderTimeout: time.Minute}
	go func() {
		defer close(g.done)
		_ = g.server.Serve(listener) // ends with close
	}()
	return g, nil
}

func (g *resources) url(work string) string { return "http://" + g.address + "/" + work }

func (g *resources) close() error {
	errs := []error{g.server.Close()}
	<-g.done
	for _, r := range g.records {
		errs = append(errs, r.Close())
	}
	return errors.Join(errs...)
}

// makeDirectory makes a node and its parents.
func (r *round) makeDirectory(ctx context.Context, path string) error {
	_, err := r.stage.Watcher().Create(ctx, path, nil, client.WithParents())
	return err
}
