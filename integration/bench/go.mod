module github.com/zookit/zookit/integration/bench

go 1.26

require (
	github.com/go-zookeeper/zk v1.0.4
	github.com/zookit/zookit v0.0.0
)

require github.com/cenkalti/backoff/v4 v4.3.0 // indirect

replace (
	github.com/zookit/zookit => ../..
	github.com/zookit/zookit/integration => ../
)
