// Spillgate-esdk encrypts one message of the AWS Encryption SDK anew:
//
//	spillgate-esdk --from ARN --to ARN [--keep ARN]... <old >new
//
// Spillgate-live rewrap runs it. Credentials and endpoints are those of the
// environment, as for every AWS SDK. Exit codes: 0 done, 2 not done (standard
// error says why, in one line, and nothing is written), 3 wrong usage.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/aws/aws-sdk-go-v2/config"

	"github.com/spillgate/spillgate/scanner/live/kms/esdk"
)

func main() { os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) }

// maxMessage is the largest message that is read, in bytes: all of it is held
// in memory several times.
const maxMessage = 256 << 20

func run(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	fail := func(code int, format string, v ...any) int {
		fmt.Fprintf(stderr, "spillgate-esdk: "+format+"\n", v...)
		return code
	}
	var j esdk.Job
	flags := flag.NewFlagSet("spillgate-esdk", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.StringVar(&j.From, "from", "", "`ARN` of the key that reads the message")
	flags.StringVar(&j.To, "to", "", "`ARN` of the key that it comes under")
	flags.Func("keep", "`ARN` of a key that it stays under; may be repeated", func(s string) error {
		j.Keep = append(j.Keep, s)
		return nil
	})
	switch err := flags.Parse(args); {
	case err != nil:
		return 3
	case j.From == "" || j.To == "" || flags.NArg() > 0:
		return fail(3, "give --from and --to, and the message on standard input")
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	message, err := io.ReadAll(io.LimitReader(stdin, maxMessage+1))
	switch {
	case err != nil:
		return fail(2, "reading the message: %v", err)
	case len(message) > maxMessage:
		return fail(2, "the message is larger than %d MiB", maxMessage>>20)
	}
	cfg, err := config.LoadDefaultConfig(ctx, config.WithDefaultRegion("us-east-1"))
	if err != nil {
		return fail(2, "reading the AWS configuration: %v", err)
	}
	fresh, err := esdk.ReEncrypt(ctx, cfg, j, message)
	if err != nil {
		return fail(2, "%v", err)
	}
	if _, err := stdout.Write(fresh); err != nil {
		return fail(2, "writing the new message: %v", err)
	}
	return 0
}
