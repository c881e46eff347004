package service

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spillgate/spillgate/scanner/live"
	"github.com/spillgate/spillgate/scanner/live/kms"
	"github.com/spillgate/spillgate/server/incident"
	"github.com/spillgate/spillgate/server/respond"
)

// openLive makes the live stage. Without an operator's file it reads only.
func (s *Service) openLive(ctx context.Context, data string) error {
	c := &s.config.Live
	read, err := kms.Open(ctx, kms.Options{Profile: c.Profile, Role: c.Role, ExternalID: c.ExternalID})
	if err != nil {
		return err
	}
	r := &respond.Responder{Enricher: read, Incidents: s.incidents, Trusted: c.Trusted, Log: s.log}
	s.worker.Responder, s.responder = r, r
	if again := c.AskAgain; again != nil {
		r.AskFor = again.Duration
	} else {
		r.AskFor = respond.DefaultAskFor
	}
	r.Tell = func(ctx context.Context, id string, i *incident.Incident) error { return s.outbox.Tell(ctx, id, i) }
	if c.Operator == "" {
		return nil
	}
	if r.Operator, err = live.LoadOperator(s.config.Path(c.Operator)); err != nil {
		return err
	}
	write := read
	if c.RespondRole != "" {
		if write, err = kms.Open(ctx, kms.Options{Profile: c.Profile, Role: c.RespondRole, ExternalID: c.ExternalID}); err != nil {
			return err
		}
	}
	r.Actor = kms.NewActor(read, write)
	r.Folder = filepath.Join(data, "responses")
	if err := os.MkdirAll(r.Folder, 0o700); err != nil {
		return fmt.Errorf("making the folder of the ledger: %w", err)
	}
	if r.Claims, err = s.queue.Table(ctx, respond.Table); err != nil {
		return err
	}
	r.Name, err = serverName(data)
	return err
}

// serverName returns this server's name, which it gives itself once: it goes
// with the ledger, in the same folder.
func serverName(data string) (string, error) {
	file := filepath.Join(data, "responses", "name")
	text, err := os.ReadFile(file)
	if err == nil && len(strings.TrimSpace(string(text))) > 0 {
		return strings.TrimSpace(string(text)), nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("reading this server's name: %w", err)
	}
	var id [8]byte
	_, _ = rand.Read(id[:])
	host, _ := os.Hostname()
	name := host + "-" + hex.EncodeToString(id[:])
	// In one step: half a name would be another one.
	if err := os.WriteFile(file+".new", []byte(name+"\n"), 0o600); err != nil {
		return "", fmt.Errorf("writing this server's name: %w", err)
	}
	if err := os.Rename(file+".new", file); err != nil {
		return "", fmt.Errorf("writing this server's name: %w", err)
	}
	return name, nil
}
