// Serve runs the fake as a process of its own, for tests that cannot hold it:
//
//	go run ./scanner/live/kms/kmsfake/testdata/serve [model.json]
//
// It prints the environment in which the SDK finds it, one NAME=value a line,
// and runs until its standard input ends. It lies in testdata, so that no
// `go install ./...` builds it.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"

	"github.com/spillgate/spillgate/scanner/live/kms/kmsfake"
)

func main() {
	m := &kmsfake.Model{Home: "739104" + "826315"}
	if len(os.Args) > 1 {
		data, err := os.ReadFile(os.Args[1])
		if err == nil {
			err = json.Unmarshal(data, m)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, "reading the model:", err)
			os.Exit(2)
		}
	}
	s, err := kmsfake.Start(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, "starting the fake:", err)
		os.Exit(2)
	}
	for name, value := range s.Env() {
		fmt.Printf("%s=%s\n", name, value)
	}
	_, _ = io.Copy(io.Discard, os.Stdin)
	s.Close()
	for _, p := range s.Problems() {
		fmt.Fprintln(os.Stderr, p)
	}
	if len(s.Problems()) > 0 {
		os.Exit(1)
	}
}
