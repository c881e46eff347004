// Package api is the server's interface for its own command line and for
// scripts: JSON over HTTP with bearer tokens, under /api/.
package api

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"strconv"

	"github.com/spillgate/spillgate/server/access"
	"github.com/spillgate/spillgate/server/fleet"
	"github.com/spillgate/spillgate/server/incident"
	"github.com/spillgate/spillgate/server/queue"
)

// An API answers requests. All fields but Closed must be set.
type API struct {
	Tokens    *access.Tokens
	Incidents *incident.Store
	Queue     *queue.Queue
	Fleets    *fleet.Fleets
	// Closed is called after an incident was closed here, to tell others; may
	// be nil. Its error is logged.
	Closed func(context.Context, *incident.Incident) error
	// Go runs something that outlives the request.
	Go  func(func(context.Context))
	Log *slog.Logger
}

// An Error is the body of an answer that is not 2xx.
type Error struct {
	Error string `json:"error"`
}

// Handler returns the handler of everything under /api/.
func (a *API) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /api/incidents", a.with(access.Viewer, a.list))
	mux.HandleFunc("GET /api/incidents/{id}", a.with(access.Viewer, a.show))
	mux.HandleFunc("POST /api/incidents/{id}/close", a.with(access.Closer, a.close))
	mux.HandleFunc("GET /api/queue", a.with(access.Viewer, a.state))
	mux.HandleFunc("GET /api/dead", a.with(access.Viewer, a.dead))
	mux.HandleFunc("POST /api/dead/{seq}/replay", a.with(access.Manager, a.onDead(a.Queue.Replay)))
	mux.HandleFunc("POST /api/dead/{seq}/forget", a.with(access.Manager, a.onDead(a.Queue.Forget)))
	mux.HandleFunc("POST /api/fleets", a.with(access.Manager, a.startFleet))
	mux.HandleFunc("GET /api/fleets", a.with(access.Viewer, a.fleets))
	mux.HandleFunc("GET /api/fleets/{id}", a.with(access.Viewer, a.fleet))
	mux.HandleFunc("/api/", func(w http.ResponseWriter, _ *http.Request) {
		fail(w, http.StatusNotFound, "there is nothing at this path")
	})
	return mux
}

// with lets in who has the role, by bearer token alone: a browser sends none
// by itself, so that no other site can have it do anything here.
func (a *API) with(role access.Role, h func(http.ResponseWriter, *http.Request, access.Identity)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		who, ok := a.Tokens.Bearer(r)
		switch {
		case !ok:
			w.Header().Set("WWW-Authenticate", "Bearer")
			fail(w, http.StatusUnauthorized, "the token is missing or wrong")
		case who.Role < role:
			fail(w, http.StatusForbidden, "the token of "+who.Name+" has the role "+who.Role.String()+"; this needs "+role.String())
		default:
			h(w, r, who)
		}
	}
}

func fail(w http.ResponseWriter, code int, say string) { write(w, code, Error{say}) }

func write(w http.ResponseWriter, code int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(v)
}

// answer writes v, or what went wrong.
func (a *API) answer(w http.ResponseWriter, r *http.Request, v any, err error) {
	switch {
	case err == nil:
		write(w, http.StatusOK, v)
	case errors.Is(err, incident.ErrNotFound), errors.Is(err, fleet.ErrNotFound):
		fail(w, http.StatusNotFound, err.Error())
	default:
		a.Log.Error("answering a request", "path", r.URL.Path, "err", err)
		fail(w, http.StatusInternalServerError, "it did not work; the server's log says why")
	}
}

func (a *API) show(w http.ResponseWriter, r *http.Request, _ access.Identity) {
	i, err := a.Incidents.Get(r.Context(), r.PathValue("id"))
	a.answer(w, r, i, err)
}

// maxReason bounds the reason for closing an incident, in bytes.
const maxReason = 4 << 10

func (a *API) close(w http.ResponseWriter, r *http.Request, who access.Identity) {
	var body struct{ Reason string }
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxReason)).Decode(&body); err != nil || body.Reason == "" {
		fail(w, http.StatusBadRequest, `send {"reason": "…"}: why the incident is closed`)
		return
	}
	i, err := a.Incidents.Close(r.Context(), r.PathValue("id"), who.Name, body.Reason)
	if err == nil && a.Closed != nil {
		if err := a.Closed(r.Context(), i); err != nil {
			a.Log.Error("telling that an incident is closed", "incident", i.ID, "err", err)
		}
	}
	a.answer(w, r, i, err)
}

func (a *API) state(w http.ResponseWriter, r *http.Request, _ access.Identity) {
	s, err := a.Queue.State(r.Context())
	a.answer(w, r, s, err)
}

// maxDead is how many dead pushes one answer holds.
const maxDead = 1000

// A Dead is a dead push with its number.
type Dead struct {
	Seq uint64 `json:"seq"`
	queue.Dead
}

func (a *API) dead(w http.ResponseWriter, r *http.Request, _ access.Identity) {
	dead, err := a.Queue.DeadPushes(r.Context(), maxDead)
	out := make([]Dead, len(dead))
	for i, d := range dead {
		out[i] = Dead{d.Seq, d}
	}
	a.answer(w, r, out, err)
}

func (a *API) onDead(do func(context.Context, uint64) error) func(http.ResponseWriter, *http.Request, access.Identity) {
	return func(w http.ResponseWriter, r *http.Request, who access.Identity) {
		seq, err := strconv.ParseUint(r.PathValue("seq"), 10, 64)
		if err != nil {
			fail(w, http.StatusBadRequest, "a dead push has a number")
			return
		}
		if err := do(r.Context(), seq); err != nil {
			if errors.Is(err, queue.ErrNoDead) {
				fail(w, http.StatusNotFound, err.Error())
				return
			}
			a.answer(w, r, nil, err)
			return
		}
		a.Log.Info("dead push", "seq", seq, "by", who.Name, "path", r.URL.Path)
		write(w, http.StatusOK, struct{}{})
	}
}

// maxFleet bounds a list of repositories, in bytes.
const maxFleet = 16 << 20

// A FleetRequest says what to scan: an organisation, or repositories by name.
type FleetRequest struct {
	Source       string   `json:"source"`
	Organization string   `json:"organization,omitempty"`
	Repositories []string `json:"repositories,omitempty"`
}

func (a *API) startFleet(w http.ResponseWriter, r *http.Request, who access.Identity) {
	var body FleetRequest
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxFleet)).Decode(&body); err != nil {
		fail(w, http.StatusBadRequest, "the request is not understood")
		return
	}
	p, err := a.Fleets.Start(r.Context(), body.Source, body.Organization, body.Repositories)
	if err != nil {
		fail(w, http.StatusBadRequest, err.Error())
		return
	}
	a.Log.Info("fleet scan", "fleet", p.ID, "source", p.Source, "organization", p.Organization, "by", who.Name)
	a.Go(func(ctx context.Context) {
		if err := a.Fleets.Run(ctx, p.ID); err != nil && ctx.Err() == nil {
			a.Log.Error("fleet scan", "fleet", p.ID, "err", err)
		}
	})
	write(w, http.StatusOK, p)
}

func (a *API) fleets(w http.ResponseWriter, r *http.Request, _ access.Identity) {
	plans, err := a.Fleets.Plans(r.Context())
	if plans == nil {
		plans = []*fleet.Plan{}
	}
	a.answer(w, r, plans, err)
}

func (a *API) fleet(w http.ResponseWriter, r *http.Request, _ access.Identity) {
	s, err := a.Fleets.Status(r.Context(), r.PathValue("id"))
	a.answer(w, r, s, err)
}
