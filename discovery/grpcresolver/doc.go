// Package grpcresolver lets clients of google.golang.org/grpc find their servers by package discovery:
//
//	d := discovery.New(cl, "/services")
//	conn, err := grpc.NewClient("zookeeper:///billing", grpc.WithResolvers(grpcresolver.NewBuilder(d)), ...)
//
// As instances of the service "billing" come, go and are disabled, the connection follows; which of them
// takes a call is up to gRPC's load balancing: pick_first by default, round_robin by
// grpc.WithDefaultServiceConfig(`{"loadBalancingConfig":[{"round_robin":{}}]}`).
//
// # What is guaranteed
//
// The connection has every instance that the servers of ZooKeeper have, as soon as they have told of it. While there is no
// connection to them it keeps those that it had. Each grpc.ClientConn costs one watch on the server, and one
// read for each instance that comes or changes; closing it ends that.
//
// # What is not
//
// The client of the discovery is the caller's, and has to outlive the connections: once it is closed they keep
// the instances they had. A service without an instance fails calls with Unavailable, unless they wait
// (grpc.WaitForReady). Instances are not taken out after errors here: gRPC does that by itself, connection by connection.
//
// It is a module of its own, so that gRPC is no dependency of those who do not use it.
package grpcresolver
