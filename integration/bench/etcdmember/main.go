// Etcdmember is one member of an etcd cluster on this machine, with etcd's defaults: every write is forced to the disk. It prints
// "ready" when it serves and ends with its input, so that it does not outlive who has started it.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"net/url"
	"os"
	"time"

	"go.etcd.io/etcd/server/v3/embed"
)

// startLimit bounds how long a member waits for the others.
const startLimit = time.Minute

// quota of the database: benchmarks write more than etcd's default of 2 GiB in a long run, and stop at it.
const quota = 8 << 30

func main() {
	name := flag.String("name", "", "this member's `name` in the cluster")
	dir := flag.String("dir", "", "`folder` of its data")
	client := flag.String("client", "", "`URL` for clients")
	peer := flag.String("peer", "", "`URL` for the other members")
	cluster := flag.String("cluster", "", "all members, `name=URL,…`")
	flag.Parse()
	if err := serve(*name, *dir, *client, *peer, *cluster); err != nil {
		fmt.Fprintln(os.Stderr, "etcd member "+*name+":", err)
		os.Exit(1)
	}
}

func serve(name, dir, client, peer, cluster string) error {
	clients, err := url.Parse(client)
	if err != nil {
		return err
	}
	peers, err := url.Parse(peer)
	if err != nil {
		return err
	}
	cfg := embed.NewConfig()
	cfg.Name, cfg.Dir = name, dir
	cfg.ListenClientUrls, cfg.AdvertiseClientUrls = []url.URL{*clients}, []url.URL{*clients}
	cfg.ListenPeerUrls, cfg.AdvertisePeerUrls = []url.URL{*peers}, []url.URL{*peers}
	cfg.InitialCluster = cluster
	cfg.QuotaBackendBytes = quota
	// Beside the data: it calls its own end an error.
	cfg.LogLevel, cfg.LogOutputs = "error", []string{dir + ".log"}
	member, err := embed.StartEtcd(cfg)
	if err != nil {
		return err
	}
	defer member.Close()
	select {
	case <-member.Server.ReadyNotify():
	case err := <-member.Err():
		return err
	case <-time.After(startLimit):
		return fmt.Errorf("not ready within %v: are all members of %s running?", startLimit, cluster)
	}
	fmt.Println("ready")
	ended := make(chan error, 1)
	go func() {
		_, err := io.Copy(io.Discard, os.Stdin)
		ended <- err
	}()
	select {
	case err := <-ended:
		return err
	case err := <-member.Err():
		return errors.Join(errors.New("it has stopped"), err)
	}
}
