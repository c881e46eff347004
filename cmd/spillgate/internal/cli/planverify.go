package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/urfave/cli/v3"

	"github.com/spillgate/spillgate/cmd/internal/frame"
)

func (a *app) planVerify() *cli.Command {
	return &cli.Command{
		Name:  "verify",
		Usage: "tell whether reports of shards are together the whole history",
		Description: "Reads reports in the formats json and jsonl. The exit code is 0 when they are of every\n" +
			"shard of one plan, all of the same state of the repository and each complete; 2 when one\n" +
			"is missing, incomplete or of another state.\n\n" +
			"Example: spillgate plan verify shard-*.json",
		ArgsUsage: "REPORT...",
		Action: func(_ context.Context, c *cli.Command) error {
			if c.Args().Len() == 0 {
				return usage("spillgate plan verify shard-*.json", "no report is named")
			}
			p := &proof{}
			for _, file := range c.Args().Slice() {
				if err := p.file(file); err != nil {
					return &frame.Failure{Err: fmt.Errorf("%s: %w", file, err)}
				}
			}
			return a.printProof(p)
		},
	}
}

// A proof gathers what reports of shards cover.
type proof struct {
	state, first string // of the first report, and its file
	count        int
	done         map[int]bool
	whys         map[int]string // of those that are not done
	commits      int64
	blobs        int64
	bytes        int64
}

// A shardReport is what a report says of its coverage: the only object of the
// format json, the last line of jsonl.
type shardReport struct {
	Type     string `json:"type"`
	Summary  *struct{ Complete bool }
	Coverage []struct {
		Shard                 string
		Complete              bool
		Commits, Blobs, Bytes int64
		Problems              []struct{ Where, What string }
	}
}

// file reads a report. Its coverage is at its end: a report that was cut off
// proves nothing.
func (p *proof) file(name string) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	d := json.NewDecoder(f)
	found := false
	for {
		var r shardReport
		err := d.Decode(&r)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return errors.New("it is no whole report in the format json or jsonl")
		}
		if r.Type != "" && r.Type != "coverage" || r.Summary == nil {
			continue
		}
		found = true
		if err := p.add(name, &r); err != nil {
			return err
		}
	}
	if !found {
		return errors.New("the report says nothing of what it covers: it is cut off, or in another format than json and jsonl")
	}
	return nil
}

// add takes a report's coverage.
func (p *proof) add(file string, r *shardReport) error {
	if len(r.Coverage) != 1 || r.Coverage[0].Shard == "" {
		return errors.New("it is not the report of one shard of a history")
	}
	c := &r.Coverage[0]
	index, count, state, err := splitShard(c.Shard)
	if err != nil {
		return err
	}
	if p.done == nil {
		p.state, p.first, p.count, p.done, p.whys = state, file, count, map[int]bool{}, map[int]string{}
	}
	switch {
	case count != p.count:
		return fmt.Errorf("it is of %d shards, and %s of %d", count, p.first, p.count)
	case state != p.state:
		return fmt.Errorf("it is of another state of the repository (%s) than %s (%s)", state, p.first, p.state)
	case p.done[index]:
		return nil // a job that was repeated
	case !c.Complete || !r.Summary.Complete:
		p.whys[index] = "not complete"
		if len(c.Problems) > 0 {
			p.whys[index] += ": " + strings.TrimPrefix(c.Problems[0].Where+": ", ": ") + c.Problems[0].What
		}
		return nil
	}
	p.done[index] = true
	p.commits, p.blobs, p.bytes = p.commits+c.Commits, p.blobs+c.Blobs, p.bytes+c.Bytes
	return nil
}

// splitShard reads I/N@STATE.
func splitShard(text string) (index, count int, state string, err error) {
	span, state, _ := strings.Cut(text, "@")
	first, second, _ := strings.Cut(span, "/")
	index, err = strconv.Atoi(first)
	if err == nil {
		count, err = strconv.Atoi(second)
	}
	if err != nil || index < 1 || index > count || count > maxShards || state == "" {
		return 0, 0, "", fmt.Errorf("%.60q is no shard", text)
	}
	return index, count, state, nil
}

// printProof says what is covered; what is not is an error.
func (a *app) printProof(p *proof) error {
	var missing []string
	for i := 1; i <= p.count; i++ {
		switch why, known := p.whys[i]; {
		case p.done[i]:
		case known:
			missing = append(missing, fmt.Sprintf("shard %d is %s", i, why))
		default:
			missing = append(missing, fmt.Sprintf("shard %d has no report", i))
		}
	}
	const most = 20
	if n := len(missing) - most; n > 0 {
		missing = append(missing[:most], fmt.Sprintf("and %d more", n))
	}
	if len(missing) > 0 {
		return &frame.Failure{Err: fmt.Errorf("%d of %d shards of the history at %s are scanned: %s", len(p.done), p.count, p.state, strings.Join(missing, "; "))}
	}
	_, err := fmt.Fprintf(a.Stdout, "all %d shards of the history at %s are scanned: %d commits, %d blobs (some by two shards), %d bytes\n",
		p.count, p.state, p.commits, p.blobs, p.bytes)
	return err
}
