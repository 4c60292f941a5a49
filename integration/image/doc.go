// Package image makes a ZooKeeper image where no registry can be reached.
//
// The image stands in for the official zookeeper image: it reads the same
// environment (ZOO_MY_ID, ZOO_SERVERS, ZOO_CFG_EXTRA, JVMFLAGS and so on),
// keeps its files in the same folders (/conf, /data, /datalog, /logs) and
// understands the same commands (zkServer.sh start-foreground, zkServer.sh
// status, zkCli.sh). It is put together from what Debian ships: the jars of
// libzookeeper-java, the host's Java runtime (cut down with jlink where there is
// one), the C libraries that it needs, and an entry point of our own.
//
// It differs from the official image in this: it has whatever ZooKeeper Debian
// has, it runs as uid 1000 from the start, and it contains neither a shell nor
// the admin server.
//
// [Ensure] does nothing if the image is there already. The image's tag is a
// digest of this package's source, so that a changed recipe makes a new image.
// All of them carry a label; this removes those that no container uses:
//
//	docker image prune -a --filter label=org.zookit.image
package image
