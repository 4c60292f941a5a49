package run

import (
	"context"

	"github.com/zookit/zookit/integration/ensemble"
)

// NewEnsemble starts so many ZooKeeper servers for measuring: each forces its transactions to the disk, and has Java's full compiler.
// The session timeouts are those of the benchmarks.
func NewEnsemble(ctx context.Context, servers int) (*ensemble.Ensemble, error) {
	return ensemble.Open(ctx, servers, ensemble.WithProvider("jvm"),
		ensemble.WithConfig("forceSync", "yes"),
		ensemble.WithConfig("snapCount", "1000000"),
		ensemble.WithJVMFlags("-XX:TieredStopAtLevel=4", "-Xmx768m"))
}
