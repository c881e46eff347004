package kmsfake

import (
	"net/http"
	"time"
)

// A Fault is what goes wrong with some requests.
type Fault struct {
	// Action ("kms:DescribeKey"), Region, Account (the caller's) and Key (the
	// KeyId of the request) select requests; an empty one selects all.
	Action, Region, Account, Key string
	// Skip is how many requests pass first, Times how many are hit then; 0
	// hits all.
	Skip, Times int
	// Delay is waited before anything else.
	Delay time.Duration
	// Code answers with that error, Message being its text; Status is the HTTP
	// status, 400 by default.
	Code, Message string
	Status        int
	// HTML answers with an error page of a proxy (Status, 502 by default).
	HTML bool
	// Cut ends the connection in the middle of the answer; CutAfter does so
	// after the model has carried the request out.
	Cut, CutAfter bool

	seen int
}

// Inject adds a fault. Of several that select a request the first holds.
func (s *Server) Inject(f Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = append(s.faults, &f)
}

// Deny makes operations ("kms:GetKeyPolicy") answer AccessDeniedException.
func (s *Server) Deny(actions ...string) {
	for _, a := range actions {
		s.Inject(Fault{Action: a, Code: "AccessDeniedException", Message: "User is not authorized to perform: " + a})
	}
}

// Heal takes all faults away.
func (s *Server) Heal() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = nil
}

// fault returns the fault that hits r, or nil.
func (s *Server) fault(r *request) *Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range s.faults {
		if f.Action != "" && f.Action != r.service+":"+r.op || f.Region != "" && f.Region != r.region ||
			f.Account != "" && f.Account != r.caller.Account || f.Key != "" && f.Key != r.str("KeyId") {
			continue
		}
		f.seen++
		if f.seen <= f.Skip || f.Times > 0 && f.seen > f.Skip+f.Times {
			continue
		}
		return f
	}
	return nil
}

// inject carries f out. after asks for the connection to be cut when the
// request has been carried out.
func (s *Server) inject(w http.ResponseWriter, h *http.Request, f *Fault) (failure *apiError, cut, after bool) {
	if f.Delay > 0 {
		select {
		case <-time.After(f.Delay):
		case <-h.Context().Done():
			return nil, true, false
		case <-s.done:
			return nil, true, false
		}
	}
	switch {
	case f.HTML:
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(orStatus(f.Status, http.StatusBadGateway))
		_, _ = w.Write([]byte("<html><head><title>Bad gateway</title></head><body><h1>The proxy is tired</h1></body></html>"))
		return nil, true, false
	case f.Cut:
		hijack(w)
		return nil, true, false
	case f.Code != "":
		return &apiError{code: f.Code, message: f.Message, status: orStatus(f.Status, http.StatusBadRequest)}, false, false
	}
	return nil, false, f.CutAfter
}

func orStatus(status, other int) int {
	if status == 0 {
		return other
	}
	return status
}

// hijack promises more bytes than it sends and closes the connection.
func hijack(w http.ResponseWriter) {
	w.Header().Set("Content-Length", "1000")
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	w.WriteHeader(http.StatusOK)
	_, _ = w.Write([]byte(`{"KeyMetadata":{"Key`))
	if f, ok := w.(http.Flusher); ok {
		f.Flush()
	}
	if hj, ok := w.(http.Hijacker); ok {
		if c, _, err := hj.Hijack(); err == nil {
			_ = c.Close()
		}
	}
}

// A bucket allows a rate of requests a second, and a second's worth at once.
type bucket struct {
	tokens float64
	last   time.Time
}

// limit answers as KMS does to too many requests: HTTP 400 with
// ThrottlingException.
// Source: https://docs.aws.amazon.com/kms/latest/developerguide/throttling.html
func (s *Server) limit(r *request) *apiError {
	rate := s.Model.RatePerRegion
	if rate <= 0 || r.service != "kms" {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	b := s.buckets[r.region]
	now := time.Now()
	if b == nil {
		b = &bucket{tokens: max(rate, 1), last: now}
		s.buckets[r.region] = b
	}
	b.tokens = min(max(rate, 1), b.tokens+now.Sub(b.last).Seconds()*rate)
	b.last = now
	if b.tokens < 1 {
		return fail("ThrottlingException", "You have exceeded the rate at which you may call KMS. Reduce the frequency of your calls.")
	}
	b.tokens--
	return nil
}
