package main

import (
	"fmt"
	"runtime"
	"slices"
	"time"

	"github.com/spillgate/spillgate/server/incident"
)

// report prints the tables, and returns an error where something was lost or
// done twice.
func (l *load) report(all []incident.Incident, sent, took time.Duration) error {
	total := len(l.commits[0]) * l.repos
	places, twice := 0, 0
	var delays []time.Duration
	for _, i := range all {
		places += i.Occurrences
		if i.Occurrences != 1 || i.Openings() != 1 {
			twice++
		}
		pushed, _ := i.First(incident.Pushed)
		found, _ := i.First(incident.Found)
		delays = append(delays, found.Sub(pushed))
	}
	fmt.Printf("| | |\n| --- | --- |\n| machine | %d threads, %s/%s |\n", runtime.NumCPU(), runtime.GOOS, runtime.GOARCH)
	fmt.Printf("| deliveries, each of one commit with one key ARN | %d in %d repositories, every tenth sent twice |\n", total, l.repos)
	fmt.Printf("| server killed (SIGKILL) and started again | %d times |\n", l.kills)
	fmt.Printf("| deliveries sent again because no 202 came | %d |\n", l.resends)
	fmt.Printf("| incidents; commits scanned | %d of %d |\n", len(all), total)
	fmt.Printf("| incidents recorded or opened more than once | %d |\n", twice)
	fmt.Printf("| sent within; scanned within | %s; %s (%.0f deliveries a second) |\n", sent.Round(time.Second), took.Round(time.Second), float64(total)/took.Seconds())
	fmt.Printf("| answer to a webhook, p50, p99, slowest | %s |\n", quantiles(l.answers))
	fmt.Printf("| from the push to the incident, p50, p99, slowest | %s |\n", quantiles(delays))
	fmt.Printf("| from the push to the message in Slack, p50, p99, slowest | %s |\n", quantiles(l.slack.delays()))
	fmt.Printf("| messages in Slack: opened, more than once, answered | %s |\n", l.slack.counts())
	if l.aws != nil {
		fmt.Printf("| keys rotated once, more than once, never | %s |\n", l.aws.counts())
	}
	if l.nodes != nil {
		fmt.Printf("| NATS nodes; one killed (SIGKILL) | %d; when a third was sent |\n", clusterSize)
	}
	fmt.Printf("| peak memory of the server, first process, last, highest | %d MB, %d MB, %d MB |\n", l.firstPeak>>10, l.lastPeak>>10, l.peak>>10)
	if len(all) != total || twice > 0 {
		return fmt.Errorf("%d incidents of %d, %d recorded twice", len(all), total, twice)
	}
	if l.aws != nil {
		return l.aws.verdict()
	}
	return nil
}

func quantiles(d []time.Duration) string {
	if len(d) == 0 {
		return "none"
	}
	slices.Sort(d)
	at := func(q float64) time.Duration {
		return d[min(int(q*float64(len(d))), len(d)-1)].Round(100 * time.Microsecond)
	}
	return fmt.Sprintf("%s, %s, %s", at(0.5), at(0.99), d[len(d)-1].Round(100*time.Microsecond))
}
