module github.com/zookit/zookit/integration/bench

go 1.26

require (
	github.com/go-zookeeper/zk v1.0.4
	github.com/stretchr/testify v1.12.1
	github.com/zookit/zookit v0.0.0
	github.com/zookit/zookit/integration v0.0.0
)

replace (
	github.com/zookit/zookit => ../..
	github.com/zookit/zookit/integration => ../
)
