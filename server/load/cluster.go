package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// clusterSize is how many nodes the cluster has.
const clusterSize = 3

// nodeArgument has this program be a node of the cluster: each is a process of
// its own, which can be killed as one.
const nodeArgument = "nats-node"

// runNode is a node: its number, its folder and the ports of all.
func runNode(args []string) error {
	if len(args) != 2+clusterSize {
		return errors.New("a node needs its number, its folder and the ports")
	}
	i, err := strconv.Atoi(args[0])
	if err != nil || i < 0 || i >= clusterSize {
		return errors.New("no such node")
	}
	var peers []string
	for _, port := range args[2:] {
		peers = append(peers, "nats://127.0.0.1:"+port)
	}
	port, err := strconv.Atoi(args[2+i])
	if err != nil {
		return err
	}
	s, err := server.NewServer(&server.Options{
		ServerName: fmt.Sprint("n", i), Host: "127.0.0.1", Port: -1, NoLog: true, JetStream: true, StoreDir: args[1],
		Cluster: server.ClusterOpts{Name: "load", Host: "127.0.0.1", Port: port}, Routes: server.RoutesFromStr(strings.Join(peers, ",")),
	})
	if err != nil {
		return err
	}
	s.Start()
	if !s.ReadyForConnections(30 * time.Second) {
		return errors.New("the node did not start")
	}
	fmt.Println(s.ClientURL())
	s.WaitForShutdown()
	return nil
}

// A cluster is its processes. Nil is none.
type cluster struct {
	nodes []*exec.Cmd
	urls  []string
}

// freePorts returns ports that were free a moment ago.
func freePorts(n int) (ports []string, err error) {
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		defer l.Close() // after all are found, so that they differ
		ports = append(ports, strconv.Itoa(l.Addr().(*net.TCPAddr).Port))
	}
	return ports, nil
}

func newCluster(dir string) (*cluster, error) {
	ports, err := freePorts(clusterSize)
	if err != nil {
		return nil, err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	c := &cluster{}
	var lines []*bufio.Reader
	for i := range clusterSize {
		cmd := exec.Command(self, append([]string{nodeArgument, strconv.Itoa(i), filepath.Join(dir, fmt.Sprint("nats", i))}, ports...)...)
		cmd.Stderr = os.Stderr
		out, err := cmd.StdoutPipe()
		if err != nil {
			return nil, errors.Join(err, c.stop())
		}
		if err := cmd.Start(); err != nil {
			return nil, errors.Join(err, c.stop())
		}
		c.nodes = append(c.nodes, cmd)
		lines = append(lines, bufio.NewReader(out))
	}
	for i, r := range lines { // ready only once all of them are there
		line, err := r.ReadString('\n')
		if err != nil {
			return nil, errors.Join(fmt.Errorf("node %d did not start: %w", i, err), c.stop())
		}
		c.urls = append(c.urls, strings.TrimSpace(line))
	}
	return c, c.ready()
}

// ready waits until the nodes have chosen a leader and know each other.
func (c *cluster) ready() error {
	conn, err := nats.Connect(strings.Join(c.urls, ","))
	if err != nil {
		return errors.Join(err, c.stop())
	}
	defer conn.Close()
	js, err := jetstream.New(conn)
	if err != nil {
		return errors.Join(err, c.stop())
	}
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(200 * time.Millisecond) {
		_, err = js.CreateStream(context.Background(), jetstream.StreamConfig{Name: "READY", Subjects: []string{"ready"}, Replicas: clusterSize})
		if err == nil || time.Now().After(deadline) {
			return err
		}
	}
}

func (c *cluster) config() string {
	if c == nil {
		return ""
	}
	return fmt.Sprintf("[queue]\nnats = %q\nreplicas = %d\nack-wait = \"10s\"\n", strings.Join(c.urls, ","), clusterSize)
}

// kill kills the first node, to which the server is likely connected.
func (c *cluster) kill() { _ = c.nodes[0].Process.Kill() }

func (c *cluster) stop() error {
	for _, n := range c.nodes {
		_ = n.Process.Kill()
		_ = n.Wait()
	}
	return nil
}

func (c *cluster) close() { _ = c.stop() }
