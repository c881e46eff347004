package service

import (
	"context"
	"fmt"
	"net/netip"

	"github.com/spillgate/spillgate/server/config"
	"github.com/spillgate/spillgate/server/incident"
	"github.com/spillgate/spillgate/server/notify"
	"github.com/spillgate/spillgate/server/telemetry"
	"github.com/spillgate/spillgate/server/web"
)

// openPeople makes what people see: messages, pages, metrics, traces.
func (s *Service) openPeople(ctx context.Context) error {
	var err error
	if s.traces, err = telemetry.NewTraces(ctx, telemetry.Version()); err != nil {
		return err
	}
	// The metrics ask the outbox, and the outbox counts in the metrics: the
	// one is asked only once both are there.
	s.metrics = telemetry.NewMetrics(telemetry.Options{Queue: s.queue, Outbox: waiting{s}, Incidents: s.incidents, Log: s.log})
	o := notify.Options{
		Queue: s.queue, Incidents: s.incidents, Pages: s.config.URL, Meter: s.metrics, Traces: s.traces.Provider(),
		AckWait: s.config.Queue.AckWait.Duration, Log: s.log,
	}
	for i := range s.config.Notify {
		route, err := s.route(ctx, &s.config.Notify[i])
		if err != nil {
			return fmt.Errorf("notify %q: %w", s.config.Notify[i].Name, err)
		}
		o.Routes = append(o.Routes, route)
	}
	if s.outbox, err = notify.Open(ctx, o); err != nil {
		return err
	}
	s.worker.Teller, s.worker.Meter = s.outbox, s.metrics
	if s.config.URL != "" {
		return s.openSite()
	}
	return nil
}

// waiting asks the outbox once it is there.
type waiting struct{ s *Service }

// Waiting returns how many messages wait, by channel.
func (w waiting) Waiting(ctx context.Context) (map[string]uint64, error) {
	if w.s.outbox == nil {
		return nil, nil
	}
	return w.s.outbox.Waiting(ctx)
}

// route makes a channel of the configuration.
func (s *Service) route(ctx context.Context, c *config.Notify) (notify.Route, error) {
	r := notify.Route{Name: c.Name, MinSeverity: c.MinSeverity, Burst: c.Burst, Every: c.Every.Duration}
	secret, err := s.config.Reveal(c.Secret)
	if err != nil {
		return r, err
	}
	switch c.Kind {
	case "slack":
		r.Channel, err = notify.NewSlackWebhook(secret)
	case "slack-bot":
		r.Channel, err = notify.NewSlackBot(secret, c.To, "")
	case "pagerduty":
		r.Channel, err = notify.NewPagerDuty(secret, c.To)
	case "webhook":
		r.Channel, err = notify.NewWebhook(c.To, secret)
	case "sns":
		r.Channel, err = notify.NewSNS(ctx, notify.SNSOptions{Topic: c.To})
	default:
		err = fmt.Errorf("kind = %q: use slack, slack-bot, sns, pagerduty or webhook", c.Kind)
	}
	return r, err
}

// tellClosed tells that an incident was closed.
func (s *Service) tellClosed(ctx context.Context, i *incident.Incident) error {
	return s.outbox.Tell(ctx, incident.ClosedID(i), i)
}

// openSite makes the pages.
func (s *Service) openSite() error {
	c := &s.config.Web
	o := web.Options{
		Incidents: s.incidents, Tokens: s.tokens, URL: s.config.URL, Log: s.log,
		Proxy: web.Proxy{Header: c.Header, Closers: c.Closers},
		Closed: func(ctx context.Context, i *incident.Incident) error {
			return s.outbox.Tell(ctx, incident.ClosedID(i), i)
		},
	}
	for _, text := range c.From {
		network, err := netip.ParsePrefix(text)
		if err != nil {
			address, err := netip.ParseAddr(text)
			if err != nil {
				return fmt.Errorf("web.from: %q is neither an address nor a network", text)
			}
			network = netip.PrefixFrom(address, address.BitLen())
		}
		o.Proxy.From = append(o.Proxy.From, network)
	}
	key, err := s.config.Reveal(c.Key)
	if err != nil {
		return fmt.Errorf("web.key: %w", err)
	}
	o.Key = []byte(key)
	s.site, err = web.New(o)
	return err
}
