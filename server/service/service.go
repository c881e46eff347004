// Package service puts the server together from the operator's configuration:
// the queue, the workers, the webhooks, the pages.
//
//	host --webhook--> queue --> worker --> mirror, spillgate --> incident --> response, messages
//
// It is the only place where the parts know of each other.
package service

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"time"

	"github.com/spillgate/spillgate/server/access"
	"github.com/spillgate/spillgate/server/api"
	"github.com/spillgate/spillgate/server/config"
	"github.com/spillgate/spillgate/server/fleet"
	"github.com/spillgate/spillgate/server/host"
	"github.com/spillgate/spillgate/server/incident"
	"github.com/spillgate/spillgate/server/mirror"
	"github.com/spillgate/spillgate/server/notify"
	"github.com/spillgate/spillgate/server/queue"
	"github.com/spillgate/spillgate/server/respond"
	"github.com/spillgate/spillgate/server/telemetry"
	"github.com/spillgate/spillgate/server/web"
	"github.com/spillgate/spillgate/server/webhook"
	"github.com/spillgate/spillgate/server/worker"
)

// A Service is a running server. Close it after Run.
type Service struct {
	config    *config.Config
	log       *slog.Logger
	queue     *queue.Queue
	incidents *incident.Store
	worker    *worker.Worker
	responder *respond.Responder // nil without a live stage
	fleets    *fleet.Fleets
	tokens    *access.Tokens
	sources   []webhook.Source
	outbox    *notify.Outbox
	site      *web.Site // nil where the configuration has no URL
	metrics   *telemetry.Metrics
	traces    *telemetry.Traces

	deliveries lull
	read       func() // after the queue was read; see readingQueue

	// background is what outlives a request: jobs are started by spawn and
	// end with Run.
	background sync.WaitGroup
	running    context.Context
}

// New opens what the configuration names. Nothing is served or worked on
// before Run.
func New(ctx context.Context, c *config.Config, log *slog.Logger) (*Service, error) {
	s := &Service{config: c, log: log, tokens: &access.Tokens{}}
	program, err := findProgram(c.Path(c.Scan.Program))
	if err != nil {
		return nil, err
	}
	hosts, err := s.readSources()
	if err != nil {
		return nil, err
	}
	if err := s.readTokens(); err != nil {
		return nil, err
	}
	data := c.Path(c.Data)
	if err := os.MkdirAll(data, 0o700); err != nil {
		return nil, fmt.Errorf("making the data folder: %w", err)
	}
	s.read = readingQueue(c.MemoryMegabytes)
	s.queue, err = queue.Open(ctx, queue.Options{
		Dir: filepath.Join(data, "queue"), URL: c.Queue.NATS, Credentials: c.Path(c.Queue.Credentials),
		Replicas: c.Queue.Replicas, MaxPending: c.Queue.MaxPending, MaxAttempts: c.Queue.MaxAttempts, MaxCrashes: c.Queue.MaxCrashes,
		AckWait: c.Queue.AckWait.Duration, Log: log,
	})
	if err != nil {
		return nil, err
	}
	records, err := s.queue.Table(ctx, incident.Table)
	if err != nil {
		s.Close()
		return nil, err
	}
	s.incidents = incident.NewStore(records)
	s.worker = workerOf(c, hosts, program, data, s.incidents, log)
	if err := s.openFleets(ctx, hosts); err != nil {
		s.Close()
		return nil, err
	}
	s.worker.Fleet = s.fleets
	s.queue.OnDead(s.fleets.GiveUp)
	s.queue.OnReplay(s.fleets.TakeUp)
	if c.Live.Enabled {
		if err := s.openLive(ctx, data); err != nil {
			s.Close()
			return nil, err
		}
	}
	if err := s.openPeople(ctx); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// workerOf returns the worker that the configuration describes, without the
// parts that need a connection.
func workerOf(c *config.Config, hosts map[string]worker.Host, program, data string, incidents *incident.Store, log *slog.Logger) *worker.Worker {
	return &worker.Worker{
		Hosts: hosts,
		Mirrors: mirror.New(mirror.Options{
			Dir: filepath.Join(data, "mirrors"), MaxBytes: c.Mirror.MaxMegabytes << 20, TotalBytes: c.Mirror.TotalMegabytes << 20,
			NoLook:  c.Mirror.FirstLook != nil && !*c.Mirror.FirstLook,
			Timeout: c.Mirror.Timeout.Duration, Protocols: c.Mirror.Protocols,
		}),
		Scanner: &worker.Scanner{
			Program: program, Config: c.Path(c.Scan.Config), MemoryLimit: c.Scan.MemoryLimit, Timeout: c.Scan.Timeout.Duration,
		},
		Incidents:   incidents,
		MaxAttempts: c.Queue.MaxAttempts,
		Log:         log,
	}
}

// openFleets makes what lists the repositories of the sources that can.
func (s *Service) openFleets(ctx context.Context, hosts map[string]worker.Host) error {
	s.fleets = &fleet.Fleets{Records: s.queue.Records(), Queue: s.queue, Listers: map[string]fleet.Lister{}, Log: s.log}
	if err := s.fleets.Adopt(ctx, s.queue); err != nil {
		return err
	}
	for i := range s.config.Sources {
		c := &s.config.Sources[i]
		s.fleets.Listers[c.Name] = nil
		h, ok := hosts[c.Name].(*host.Host)
		if !ok {
			continue
		}
		switch c.Kind {
		case webhook.GitHub:
			s.fleets.Listers[c.Name] = &fleet.GitHub{API: c.API, Token: h.Token}
		case webhook.GitLab:
			s.fleets.Listers[c.Name] = &fleet.GitLab{API: c.API, Token: h.Login.Password}
		}
	}
	return nil
}

// spawn runs f until it returns or the service ends.
func (s *Service) spawn(f func(context.Context)) {
	s.background.Go(func() { f(s.running) })
}

// findProgram returns the file of spillgate: the one named, the one beside
// this program, or the one on the PATH.
func findProgram(named string) (string, error) {
	if named != "" {
		if _, err := os.Stat(named); err != nil {
			return "", fmt.Errorf("scan.program: %w", err)
		}
		return named, nil
	}
	if self, err := os.Executable(); err == nil {
		beside := filepath.Join(filepath.Dir(self), "spillgate")
		if _, err := os.Stat(beside); err == nil {
			return beside, nil
		}
	}
	found, err := exec.LookPath("spillgate")
	if err != nil {
		return "", errors.New("spillgate is neither beside this program nor on the PATH; name it by scan.program")
	}
	return found, nil
}

// readSources reveals the sources' secrets.
func (s *Service) readSources() (map[string]worker.Host, error) {
	hosts := map[string]worker.Host{}
	for i := range s.config.Sources {
		c := &s.config.Sources[i]
		source := webhook.Source{Name: c.Name, Kind: c.Kind}
		for _, where := range c.Secrets {
			secret, err := s.config.Reveal(where)
			if err != nil {
				return nil, fmt.Errorf("source %s: %w", c.Name, err)
			}
			if secret != "" {
				source.Secrets = append(source.Secrets, secret)
			}
		}
		if len(source.Secrets) == 0 {
			return nil, fmt.Errorf("source %s: no secret has env or file", c.Name)
		}
		s.sources = append(s.sources, source)
		h, err := s.readHost(c)
		if err != nil {
			return nil, fmt.Errorf("source %s: %w", c.Name, err)
		}
		hosts[c.Name] = h
	}
	return hosts, nil
}

func (s *Service) readHost(c *config.Source) (*host.Host, error) {
	h := &host.Host{Clone: c.Clone, Login: mirror.Login{User: c.User, Key: s.config.Path(c.SSHKey), KnownHosts: s.config.Path(c.KnownHosts)}}
	if h.Login.User == "" {
		h.Login.User = "x-access-token"
	}
	var err error
	if h.Login.Password, err = s.config.Reveal(c.Token); err != nil {
		return nil, err
	}
	if c.App != nil {
		pem, err := s.config.Reveal(c.App.Key)
		if err != nil {
			return nil, err
		}
		key, err := host.ParseKey(pem)
		if err != nil {
			return nil, err
		}
		h.App = &host.App{ID: c.App.ID, Installation: c.App.Installation, Key: key, API: c.API}
	}
	return h, nil
}

func (s *Service) readTokens() error {
	for _, t := range s.config.Tokens {
		secret, err := s.config.Reveal(t.Token)
		if err != nil {
			return fmt.Errorf("token %s: %w", t.Name, err)
		}
		if len(secret) < 16 {
			return fmt.Errorf("token %s: use at least 16 characters", t.Name)
		}
		role, _ := access.ParseRole(t.Role)
		s.tokens.Add(secret, access.Identity{Name: t.Name, Role: role})
	}
	return nil
}

// Handler returns everything that the server answers.
func (s *Service) Handler() http.Handler {
	mux := http.NewServeMux()
	for _, source := range s.sources {
		h := &webhook.Handler{Source: source, Queue: s.queue, Counter: s.metrics, Log: s.log}
		mux.Handle("/webhooks/"+source.Name, s.deliveries.watch(s.traces.Webhook(h)))
	}
	mux.HandleFunc("/webhooks/", func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "no source of the server's file has this name", http.StatusNotFound)
	})
	interfaces := &api.API{
		Tokens: s.tokens, Incidents: s.incidents, Queue: s.queue, Fleets: s.fleets, Closed: s.tellClosed, Go: s.spawn, Log: s.log,
	}
	mux.Handle("/api/", interfaces.Handler())
	health := &telemetry.Health{Queue: s.queue, Dirs: []string{s.config.Path(s.config.Data)}}
	mux.HandleFunc("GET /healthz", health.Live)
	mux.HandleFunc("GET /readyz", health.Ready)
	mux.Handle("GET /metrics", s.metrics.Handler())
	if s.site != nil {
		mux.Handle("/", s.site.Handler())
	}
	return mux
}

// Run serves and works until ctx ends; then it lets the deliveries under way
// be answered and the scans under way be ended. ready, if not nil, is called
// with the address once it is bound.
func (s *Service) Run(ctx context.Context, ready func(net.Addr)) error {
	listener, err := net.Listen("tcp", s.config.Listen)
	if err != nil {
		return fmt.Errorf("listening: %w", err)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s.running = ctx
	server := &http.Server{
		Handler: s.Handler(), ReadHeaderTimeout: 10 * time.Second, ReadTimeout: time.Minute,
		WriteTimeout: time.Minute, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10,
		ErrorLog: slog.NewLogLogger(s.log.Handler(), slog.LevelWarn),
	}
	s.log.Info("listening", "address", listener.Addr().String(), "version", telemetry.Version())
	if ready != nil {
		ready(listener.Addr())
	}
	var wg sync.WaitGroup
	wg.Go(func() { s.goOn(ctx, &wg) })
	s.spawn(func(ctx context.Context) {
		if err := s.fleets.Resume(ctx); err != nil && ctx.Err() == nil {
			s.log.Error("going on with fleet scans", "err", err)
		}
	})
	wg.Go(func() {
		<-ctx.Done()
		grace, stop := context.WithTimeout(context.Background(), 20*time.Second)
		defer stop()
		_ = server.Shutdown(grace)
	})
	err = server.Serve(listener)
	cancel()
	wg.Wait()
	s.background.Wait()
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

// goOn begins with what a server does besides answering: one thing after the
// other, each in a lull.
func (s *Service) goOn(ctx context.Context, wg *sync.WaitGroup) {
	s.deliveries.wait(ctx)
	s.read()
	wg.Go(func() { _ = s.queue.Work(ctx, s.config.Workers, s.log, s.traces.Work(s.worker.Work)) })
	s.deliveries.wait(ctx)
	wg.Go(func() { _ = s.outbox.Run(ctx) })
	if s.responder != nil {
		s.deliveries.wait(ctx)
		wg.Go(func() { s.responder.Run(ctx) })
		wg.Go(func() { s.responder.AskAgain(ctx) })
	}
}

// Close sends what is left of the traces and closes the queue.
func (s *Service) Close() {
	if s.traces != nil {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		if err := s.traces.Shutdown(ctx); err != nil {
			s.log.Warn("sending the last traces", "err", err)
		}
	}
	if s.queue != nil {
		s.queue.Close()
	}
}
