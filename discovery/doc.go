// Package discovery finds services: processes register as instances of a named service, others look them up, watch them
// come and go, and pick one to use. It shares its nodes, byte for byte, with Curator's x-discovery, and so with
// services of Spring Cloud Zookeeper.
//
//	d := discovery.New(cl, "/services")
//	reg, err := d.Register(ctx, discovery.Instance{Name: "billing", Port: 8080})
//	...
//	billing, err := d.Watch(ctx, "billing")
//	provider, err := billing.Provider(discovery.RoundRobin())
//	pick, err := provider.Pick()
//	err = call(pick.HostPort())
//	pick.Done(err) // two errors, and it is not picked for half a minute
//
// The module github.com/zookit/zookit/discovery/grpcresolver is a resolver for google.golang.org/grpc.
//
// # What is guaranteed
//
// An instance that was registered is registered until it is unregistered or its process ends: it comes again in the next session and when
// somebody deletes its node, and is neither doubled nor taken away and made again because a connection was lost or a reply. Two processes
// with one id do not overwrite each other.
//
// A [Service] has every instance that the servers have, as soon as they have told of it, and never one that it has
// seen go. After a reconnect everything is verified. What cannot be read as an instance is left out, and said ([Service.Rejected]); in
// Curator one such node fails every query.
//
// # What is not
//
// A process that dies without a word is listed until its session has expired. One that hangs, and keeps its session, is listed:
// errors take it out of service for a while, at this provider only.
//
// While there is no connection a list shows what it had: old addresses are more useful than none.
//
// Instances of type [DynamicSequential] are read but not registered. Curator's REST bridge and custom
// DiscoveryPathConstructor are not there.
package discovery
