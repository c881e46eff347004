package rules

// lookAlikes are the families of lines that look like secrets and are none.
// ⟨…⟩ are filled by a drawer.
var lookAlikes = []struct {
	name  string
	lines []string
}{
	{"lock files and checksums", []string{
		`      "integrity": "sha512-⟨b64 86⟩=="`, `  integrity sha512-⟨b64 86⟩==`, `github.com/acme/⟨word⟩ v1.2.⟨num 2⟩ h1:⟨b64 43⟩=`,
		`checksum = "⟨hex 64⟩"`, `⟨hex 64⟩  ⟨word⟩-⟨ver⟩.tar.gz`, `⟨hex 32⟩ *⟨word⟩.iso`, `    --hash=sha256:⟨hex 64⟩ \`,
		`sha256 "⟨hex 64⟩"`, `"sha1": "⟨hex 40⟩",`, `md5sum: ⟨hex 32⟩`, `content-hash = "⟨hex 64⟩"`, `SHA512 (⟨word⟩.zip) = ⟨hex 128⟩`,
		`{file = "⟨word⟩-⟨ver⟩-py3-none-any.whl", hash = "sha256:⟨hex 64⟩"},`, `distributionSha256Sum=⟨hex 64⟩`, `    sha256 = "⟨b64 43⟩=";`,
	}},
	{"integrity attributes", []string{
		`<script src="https://cdn.example.com/⟨word⟩.js" integrity="sha384-⟨b64 64⟩" crossorigin="anonymous"></script>`,
		`<link rel="stylesheet" href="/⟨word⟩.css" integrity="sha256-⟨b64 43⟩=">`, `script-src 'sha256-⟨b64 43⟩=' 'nonce-⟨b62 22⟩'`,
	}},
	{"git ids", []string{
		`commit ⟨hex 40⟩`, `Merge commit '⟨hex 40⟩' into ⟨word⟩`, `uses: actions/checkout@⟨hex 40⟩ # v4`, `revision: ⟨hex 40⟩`, `git checkout ⟨hex 40⟩`,
		`rev = "⟨hex 40⟩"`, `index ⟨hex 7⟩..⟨hex 7⟩ 100644`, `ENV GIT_SHA=⟨hex 40⟩`, `"gitHead": "⟨hex 40⟩",`, `Reverts ⟨hex 40⟩ (⟨word⟩ tokens)`, `image: ⟨word⟩@sha256:⟨hex 64⟩`,
	}},
	{"ids", []string{
		`"id": "⟨uuid⟩",`, `request_id=⟨uuid⟩`, `tenantId: ⟨uuid⟩`, `GUID("⟨uuid⟩")`, `<ProjectGuid>{⟨uuid⟩}</ProjectGuid>`, `"client_id": "⟨uuid⟩"`, `traceparent: 00-⟨hex 32⟩-⟨hex 16⟩-01`,
		`subscriptions/⟨uuid⟩/resourceGroups/⟨word⟩`, `key_id: ⟨uuid⟩`, `"ETag": "\"⟨hex 32⟩\""`, `"_id": {"$oid": "⟨hex 24⟩"}`, `UserId="⟨uuid⟩"`,
	}},
	{"images and fonts", []string{
		`src="data:image/png;base64,iVBORw0KGgo⟨b64 180⟩"`, `url(data:font/woff2;base64,d09GMgABAAAAA⟨b64 200⟩)`, `background: url("data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP⟨b64 60⟩");`,
		`"icon": "data:image/jpeg;base64,/9j/4AAQSkZJRg⟨b64 160⟩",`, `<path d="M⟨num 2⟩.⟨num 2⟩ ⟨num 2⟩c⟨num 1⟩-⟨num 1⟩.⟨num 2⟩ ⟨num 1⟩-⟨num 2⟩h⟨num 2⟩v⟨num 2⟩z" key="⟨word⟩"/>`,
	}},
	{"minified code", []string{
		`function(e,t){var n=e.password,r=t.token;return n&&r?o(n,r):i.⟨word⟩(n)}`, `var a=e.key,s=e.auth||"",c=l[e.type];`, `,⟨low 2⟩=⟨low 1⟩.apiKey||⟨low 1⟩.token,⟨low 1⟩=function(t){return t.key===⟨low 1⟩}`,
		`n.exports={password:"⟨word⟩",token:n.⟨word⟩,key:"⟨word⟩"}`, `t.secretKey=void 0,t.password=r(⟨num 4⟩)`, `switch(e.key){case"Enter":case"⟨Word⟩":return}`,
		`{key:"render⟨Word⟩",value:function(){return this.props.token}}`, `"password"===e.type?⟨low 1⟩(e):"token"===e.type&&⟨low 1⟩(e)`,
	}},
	{"source maps", []string{
		`{"version":3,"sources":["⟨word⟩.ts"],"names":["password","token"],"mappings":"AAAA,SAAS,⟨b62 120⟩;AACA"}`, `//# sourceMappingURL=data:application/json;base64,eyJ2ZXJzaW9uIjozLCJ⟨b64 120⟩`, `mappings: "⟨b62 80⟩,CAAC;AAC⟨b62 40⟩"`,
	}},
	{"public keys and certificates", []string{
		`ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQ⟨b64 250⟩ me@⟨host⟩`, `ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI⟨b64 43⟩ deploy`, `MIIC⟨b64 60⟩`, `-----BEGIN CERTIFICATE-----`, `-----BEGIN PUBLIC KEY-----`,
		`publicKey: "⟨b64 43⟩="`, `public_key = "⟨hex 64⟩"`, `"x": "⟨b62 43⟩", "y": "⟨b62 43⟩", "kty": "EC"`, `certificate-authority-data: LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0t⟨b64 120⟩`,
		`Fingerprint: SHA256:⟨b64 43⟩`, `PublicKeyToken=⟨hex 16⟩`, `minisign public key: RWQ⟨b64 53⟩`, `untrusted comment: public key ⟨HEX 16⟩`,
	}},
	{"versions", []string{
		`"⟨pkg⟩": "^⟨ver⟩",`, `key_version = "⟨ver⟩"`, `token-version: ⟨ver⟩`, `⟨pkg⟩==⟨ver⟩`, `apiVersion: auth.example.com/v1beta⟨num 1⟩`, `<version>⟨ver⟩</version>`, `KEY_SCHEMA_VERSION=⟨ver⟩`, `gem '⟨pkg⟩', '~> ⟨ver⟩'`,
	}},
	{"style classes", []string{
		`<div class="⟨css⟩ mt-4 ⟨css⟩"></div>`, `.⟨css⟩ { display: none; }`, `className={styles["⟨css⟩"]}`, `document.querySelector(".⟨css⟩")`, `passwordClass: "⟨css⟩",`, `<input id="⟨css⟩" data-key="⟨word⟩-⟨num 2⟩">`,
	}},
	{"ARNs with placeholders", []string{
		`arn:aws:iam::123456789012:role/⟨word⟩`, `arn:aws:kms:us-east-1:123456789012:key/<key-id>`, `"arn:aws:secretsmanager:${region}:${account}:secret:⟨word⟩"`, `arn:aws:s3:::⟨word⟩-bucket/*`,
		`Resource: !Sub arn:aws:ssm:${AWS::Region}:${AWS::AccountId}:parameter/⟨word⟩/password`, `kms_key_id = "arn:aws:kms:eu-west-1:111122223333:alias/aws/s3"`,
	}},
	{"translations", []string{
		`"password": "⟨label⟩",`, `password: ⟨label⟩`, `"⟨lang⟩.auth.token": "⟨label⟩",`, `auth.password.hint=⟨label⟩`, `msgid "⟨label⟩"`, `<string name="password">⟨label⟩</string>`, `'secret' => '⟨label⟩',`, `passwordLabel: '⟨label⟩',`,
		`"key": "⟨label⟩"`, `"login.password" = "⟨label⟩";`, `token_invalid: "⟨label⟩"`,
	}},
	{"placeholders", []string{
		`⟨key⟩ = "⟨ph⟩"`, `⟨KEY⟩=⟨ph⟩`, `⟨key⟩: ⟨ph⟩`, `"⟨Key⟩": "⟨ph⟩",`, `export ⟨KEY⟩="⟨ph⟩"`, `--⟨key⟩=⟨ph⟩`, `<⟨Key⟩>⟨ph⟩</⟨Key⟩>`, `⟨Key⟩: '⟨ph⟩',`, `$⟨key⟩ = '⟨ph⟩';`,
	}},
	{"placeholders of keys", []string{
		`⟨key⟩ = "⟨phk⟩"`, `⟨KEY⟩=⟨phk⟩`, `"⟨Key⟩": "⟨phk⟩"`, `Authorization: Bearer ⟨phk⟩`, `curl -H "X-Api-Key: ⟨phk⟩" https://⟨host⟩/v1`, `client = Client(api_key="⟨phk⟩")`, `?api_key=⟨phk⟩&page=2`,
	}},
	{"variable references", []string{
		`⟨key⟩ = ⟨var⟩`, `⟨Key⟩: ⟨var⟩,`, `this.⟨Key⟩ = ⟨var⟩;`, `⟨Key⟩ := ⟨var⟩`, `connect(user=user, ⟨key⟩=⟨var⟩)`, `"⟨Key⟩" => ⟨var⟩,`, `set⟨Pas⟩(⟨var⟩);`, `if ⟨Key⟩ == ⟨var⟩ {`, `let ⟨key⟩ = &⟨var⟩;`, `⟨Key⟩={⟨var⟩}`,
	}},
	{"type annotations", []string{
		`⟨Key⟩: ⟨type⟩;`, `⟨key⟩: ⟨type⟩,`, `private ⟨type⟩ ⟨Key⟩;`, `⟨Pas⟩ ⟨type⟩ ` + "`json:\"⟨key⟩\"`", `def login(user: str, ⟨key⟩: str) -> bool:`, `func New(⟨Key⟩ string) *Client {`, `⟨Key⟩?: string | undefined`, `final String ⟨Key⟩;`,
		`val ⟨Key⟩: String? = null`, `@Value("${⟨word⟩.⟨key⟩}") String ⟨Key⟩;`, `pub ⟨key⟩: Option<String>,`,
	}},
	{"function calls", []string{
		`⟨key⟩ = ⟨func⟩`, `⟨Key⟩: ⟨func⟩,`, `const ⟨Key⟩ = await ⟨func⟩;`, `⟨Key⟩ := ⟨func⟩`, `⟨KEY⟩=$(cat /run/secrets/⟨word⟩)`, "⟨KEY⟩=`pass show ⟨word⟩`", `var ⟨Key⟩ = new ⟨Pas⟩(⟨func⟩);`, `$⟨key⟩ = Get-Secret -Name ⟨word⟩`,
		`⟨key⟩ = keyring.get_password("⟨word⟩", "⟨word⟩")`, `⟨Key⟩ = vault.read("secret/⟨word⟩")`, `⟨key⟩ = data.get("⟨key⟩")`,
	}},
	{"enumerations and constants", []string{
		`⟨enum⟩ = "⟨enum⟩"`, `case ⟨enum⟩: return "⟨enum⟩"`, `const Err⟨Pas⟩ = "⟨enum⟩"`, `⟨KEY⟩_HEADER = "X-⟨Word⟩-Token"`, `KEY_⟨KEY⟩ = "⟨key⟩"`, `public static final String ⟨KEY⟩ = "⟨key⟩";`, `TokenType⟨Word⟩ = "⟨word⟩"`,
		`passwordField = "⟨word⟩_field"`, `SESSION_KEY = '⟨word⟩_session'`, `TOKEN_PREFIX = "⟨word⟩:"`,
	}},
	{"algorithms", []string{
		`password_encryption = ⟨alg⟩`, `keyAlgorithm: "⟨alg⟩"`, `token_alg = '⟨alg⟩'`, `auth-method=⟨alg⟩`, `"auth_plugin": "⟨alg⟩"`, `key_type = "⟨alg⟩"`, `secret_cipher: ⟨alg⟩`, `IDENTIFIED WITH ⟨alg⟩`, `passwordHash: '⟨alg⟩'`,
	}},
	{"form fields", []string{
		`<input type="password" name="password" placeholder="⟨label⟩">`, `<label for="password">⟨label⟩</label>`, `<TextField id="⟨Key⟩" type="password" label="⟨label⟩" />`, `form.password = PasswordField("⟨label⟩")`, `input[name="⟨Key⟩"]`,
		`page.fill("#password", ⟨var⟩)`, `{ name: "⟨Key⟩", type: "password", required: true }`, `<EditText android:hint="@string/⟨key⟩" android:inputType="textPassword"/>`, `f.password_field :⟨key⟩, class: "⟨css⟩"`,
	}},
	{"sentences", []string{
		`The password: see the ⟨word⟩ page for how to reset it.`, `Set the token to the ⟨word⟩ of your account.`, `// ⟨Key⟩ is the ⟨word⟩ that the server sends`, `# password for the ⟨word⟩ database`, `Pass the API key: it is shown on the ⟨word⟩ screen.`,
		`* @param ⟨Key⟩ the ⟨word⟩ of the user`, `:param ⟨key⟩: the ⟨word⟩ to use`, `Note: the secret is stored in the ⟨word⟩ store.`, `- **⟨Key⟩**: the ⟨word⟩ used to sign in`, `| ⟨key⟩ | string | the ⟨word⟩ of the ⟨word⟩ |`,
		`A bearer token of the ⟨word⟩ service is required.`, `Basic authentication is deprecated in ⟨ver⟩.`, `The key: ⟨word⟩ first, ⟨word⟩ second.`,
	}},
	{"URL templates", []string{
		`postgres://user:password@⟨host⟩:5432/⟨word⟩`, `https://user:pass@⟨host⟩/⟨word⟩`, `mysql://${USER}:${PASSWORD}@⟨host⟩/⟨word⟩`, `redis://:<password>@⟨host⟩:6379/0`, `amqp://{user}:{password}@⟨host⟩`, `mongodb://<user>:<password>@⟨host⟩/⟨word⟩`,
		`ftp://username:password@⟨host⟩/⟨word⟩`, `https://⟨host⟩:8443/⟨word⟩@latest`, `git+https://$TOKEN@⟨host⟩/⟨word⟩.git`, `http://[user]:[password]@⟨host⟩`, `jdbc:⟨word⟩://⟨host⟩:1521/⟨word⟩?user=${u}&password=${p}`, `https://x-access-token:${{ secrets.TOKEN }}@github.com/⟨word⟩`,
		`http://⟨host⟩:3000/⟨word⟩?email=me@example.com`, `smtp://%s:%s@⟨host⟩:587`, `https://***:***@⟨host⟩/⟨word⟩`,
	}},
	{"reads of the environment", []string{
		`⟨key⟩ = os.environ["⟨env⟩"]`, `⟨key⟩ = os.getenv("⟨env⟩", "")`, `const ⟨Key⟩ = process.env.⟨env⟩;`, `⟨Key⟩: process.env["⟨env⟩"],`, `⟨Key⟩ := os.Getenv("⟨env⟩")`, `$⟨key⟩ = getenv('⟨env⟩');`, `⟨key⟩: <%= ENV["⟨env⟩"] %>`, `⟨key⟩ = ENV.fetch("⟨env⟩")`,
		`String ⟨Key⟩ = System.getenv("⟨env⟩");`, `var ⟨Key⟩ = Environment.GetEnvironmentVariable("⟨env⟩");`, `let ⟨key⟩ = std::env::var("⟨env⟩")?;`, `⟨KEY⟩=${⟨env⟩:?}`, `$env:⟨KEY⟩ = $⟨word⟩`, `⟨key⟩ = System.fetch_env!("⟨env⟩")`, `⟨KEY⟩: ${{ secrets.⟨env⟩ }}`,
		`⟨key⟩ = ProcessInfo.processInfo.environment["⟨env⟩"]`, `⟨Key⟩ <- Sys.getenv("⟨env⟩")`, `⟨KEY⟩="$⟨env⟩"`, `- ⟨KEY⟩=${⟨env⟩:-}`, `⟨Key⟩: import.meta.env.VITE_⟨env⟩`, `set ⟨KEY⟩=%⟨env⟩%`, `⟨key⟩ = $ENV{'⟨env⟩'};`,
	}},
	{"schemas", []string{
		`"⟨Key⟩": {"type": "string", "format": "password"},`, `⟨Key⟩: { type: String, required: true, select: false },`, `⟨key⟩ varchar(255) NOT NULL,`, `ALTER TABLE users ADD COLUMN ⟨key⟩ text;`, `SELECT id, ⟨key⟩ FROM users WHERE token = $1`, `t.string :⟨key⟩, null: false`,
		`⟨key⟩ = models.CharField(max_length=128)`, `⟨key⟩: z.string().min(8),`, `INSERT INTO users (name, ⟨key⟩) VALUES (?, ?)`, `⟨Key⟩: Joi.string().required(),`, `@Column(name = "⟨key⟩") private String ⟨Key⟩;`, `- name: ⟨key⟩`, `required: [⟨key⟩, name]`,
		`string ⟨key⟩ = ⟨num 1⟩;`, `primary key (⟨key⟩, ⟨word⟩)`, `"name": "⟨key⟩", "in": "header"`, `⟨Key⟩: PropTypes.string.isRequired,`,
	}},
	{"manifests", []string{
		`secretKeyRef: {name: ⟨word⟩, key: ⟨key⟩}`, `        key: ⟨word⟩-password`, `secretName: ⟨word⟩-tls`, `imagePullSecrets: [{name: ⟨word⟩-registry}]`, `existingSecret: ⟨word⟩-credentials`, `tokenSecretRef: ⟨word⟩`, `serviceAccountToken: {path: token, expirationSeconds: 3600}`,
		`passwordFrom: {secretRef: ⟨word⟩}`, `secret: ⟨word⟩-db-auth`, `passwordSecret: ⟨word⟩-admin`, `key: node-role.kubernetes.io/⟨word⟩`, `topologyKey: kubernetes.io/hostname`, `passwordFile: ⟨path⟩`,
	}},
	{"infrastructure code", []string{
		`password = var.⟨word⟩_password`, `⟨key⟩ = data.aws_ssm_parameter.⟨word⟩.value`, `⟨key⟩ = random_password.⟨word⟩.result`, `master_password = local.⟨word⟩["password"]`, `secret_id = aws_secretsmanager_secret.⟨word⟩.id`, `⟨Pas⟩: !Ref ⟨Word⟩Password`,
		`MasterUserPassword: '{{resolve:secretsmanager:⟨Word⟩:SecretString:password}}'`, `⟨key⟩ = module.⟨word⟩.db_password`, `kms_key_id = aws_kms_key.⟨word⟩.arn`, `⟨Key⟩: '[parameters(''⟨word⟩Password'')]'`, `variable "⟨key⟩" { type = string }`,
		`key_name = "⟨word⟩-keypair"`, `admin_password = azurerm_key_vault_secret.⟨word⟩.value`, `hash_key = "⟨word⟩_id"`, `key = "⟨word⟩/terraform.tfstate"`,
	}},
	{"templates", []string{
		`⟨key⟩: {{ .Values.⟨word⟩.password | quote }}`, `⟨key⟩: "{{ vault_⟨word⟩_password }}"`, `⟨KEY⟩=<%= @⟨word⟩_password %>`, `password {{ ⟨word⟩_pass }}`, `⟨key⟩ = "{⟨key⟩}"`, `⟨key⟩=%(⟨word⟩_password)s`, `"⟨Key⟩": "${⟨word⟩.password}"`, `⟨key⟩: ((⟨word⟩-password))`,
		`⟨key⟩ = "#{⟨word⟩_token}"`, `<password>${⟨word⟩.password}</password>`, `⟨Key⟩: "@Model.⟨Word⟩Token"`, `⟨key⟩: !vault |`, `⟨KEY⟩=@⟨word⟩.token@`, `⟨key⟩: $(⟨word⟩Password)`, `⟨key⟩: op://⟨word⟩/⟨word⟩/password`, "⟨Key⟩: `${⟨word⟩}-${⟨word⟩}`,",
	}},
	{"paths", []string{
		`⟨key⟩_file = "⟨path⟩"`, `ssl_key: ⟨path⟩`, `--⟨key⟩-path ⟨path⟩`, `private_key = file("⟨path⟩")`, `AuthUserFile ⟨path⟩`, `"keyFile": "⟨path⟩",`, `IdentityFile ⟨path⟩`, `⟨KEY⟩_PATH=⟨path⟩`, `token_url = "https://⟨host⟩/oauth/token"`, `passwordResetUrl: '/⟨word⟩/password/reset'`,
		`auth_uri: https://⟨host⟩/o/oauth2/auth`, `import { token } from "./⟨word⟩/token"`, `from ⟨word⟩.auth import password`, `require "⟨word⟩/token"`,
	}},
	{"maps and rows", []string{
		`"key": "⟨word⟩",`, `key: ⟨word⟩_⟨word⟩`, `{key: '⟨word⟩', label: '⟨Word⟩'},`, `<li key="⟨word⟩-⟨num 2⟩">`, `cache_key = "⟨word⟩:⟨word⟩"`, `sort_key="⟨word⟩"`, `keys = ["⟨word⟩", "⟨word⟩"]`, `{ key: "Ctrl+Shift+⟨Word⟩", command: "⟨word⟩" }`,
		`event.key === "Arrow⟨Word⟩"`, `author = "⟨Word⟩ ⟨Word⟩"`, `tokens: ["⟨word⟩", "⟨word⟩"],`, `"token": "punctuation.definition.⟨word⟩",`, `token.type = "⟨word⟩"`, `i18nKey="⟨word⟩.⟨word⟩.title"`, `dataKey: '⟨word⟩⟨Word⟩',`, `rowKey={"⟨word⟩Id"}`,
	}},
	{"tests and messages", []string{
		`assert.Equal(t, "⟨word⟩", token.Kind)`, `expect(password).toBe(⟨var⟩)`, `throw new Error("⟨label⟩")`, `log.info("token: %s", token)`, `raise ValueError("invalid ⟨key⟩: %r" % value)`, `print(f"⟨key⟩={⟨key⟩}")`, `t.Errorf("password = %q, want %q", got, want)`,
		`logger.debug("key={} value={}", k, v)`, `it("rejects an expired token", () => {`, `describe("⟨Key⟩ of ⟨word⟩", function () {`, `puts "password: #{⟨word⟩}"`, `fmt.Println("⟨key⟩:", ⟨key⟩)`, `echo "⟨KEY⟩=$⟨KEY⟩"`, `assert "password" in form.errors["⟨word⟩"]`,
	}},
	{"numbers", []string{
		`token_ttl = ⟨num 4⟩`, `max_tokens: ⟨num 4⟩,`, `passwordMinLength=⟨num 2⟩`, `KEY_SIZE = ⟨num 4⟩`, `secret_rotation_days: ⟨num 2⟩`, `tokens=⟨num 6⟩`, `key_code = ⟨num 3⟩`, `"password_expiry": ⟨num 8⟩,`, `authTimeoutMs: ⟨num 5⟩`, `session_key_bits = ⟨num 3⟩`, `num_key_value_heads: ⟨num 2⟩`,
	}},
}
