# Read by inside.sh: mxprobe as a check of Nagios and Icinga, as metrics of node_exporter and
# Prometheus, as a unit of systemd. All with what is in contrib/, all on loopback.
set +eu
repo=$(cd "$here/../.." && pwd)
passed=0 failed=0

check() { name=$1 why=; }
wrong() { why="${why:+$why; }$*"; }
done_() { # [FILE...]: shown when it failed
	if [ -z "$why" ]; then
		passed=$((passed + 1))
		echo "ok $name"
	else
		failed=$((failed + 1))
		echo "FAILED $name: $why"
		for file; do
			sed 's/^/  /' "$file" 2>/dev/null | tail -n 40
		done
	fi
}
# Up to a minute, for what takes a second: the machine may be busy.
until_true() {
	for _ in $(seq 300); do
		"$@" && return
		sleep 0.2
	done
	return 1
}

ip link set lo up
hostname probe.example.test
printf '%s\n' '127.0.0.1 localhost probe.example.test' >/etc/hosts
rm -f /etc/resolv.conf
echo 'nameserver 127.0.0.1' >/etc/resolv.conf
grep -q '^nagios:' /etc/group || echo 'nagios:x:64120:' >>/etc/group
grep -q '^nagios:' /etc/passwd || echo 'nagios:x:64120:64120::/var/lib/nagios:/bin/false' >>/etc/passwd

sleep 86400 | "$lab" --log "$work/lab.log" "$here/monitoring.lab" >"$work/lab.out" &
until_true test -s "$work/lab.out" || { echo "the lab does not start"; exit 1; }
resolver=$(sed -n 's/.*dns=\([^ ]*\).*/\1/p' "$work/lab.out")
port=$(sed -n 's/.* port=\([^ ]*\).*/\1/p' "$work/lab.out")
ask="--resolver $resolver -p $port -F probe.example.test"

## Installed as a package would be

check install
plugin=/usr/lib/nagios/plugins/check_mxprobe
make -s -C "$repo" install -o "$mxprobe" BUILD="$(dirname "$mxprobe")" PREFIX=/usr >"$work/out" 2>&1 ||
	wrong "make install failed"
[ -L $plugin ] || wrong "no link $plugin"
[ "$(readlink -f $plugin)" = /usr/bin/mxprobe ] || wrong "it leads to $(readlink -f $plugin)"
$plugin --version >"$work/out" 2>&1
[ $? = 3 ] || wrong "--version does not exit 3"
done_ "$work/out"

## The states, in two monitoring systems

# seen FILE HOST SERVICE: that service's block of a status.dat, to $work/seen
seen() {
	awk -v host="$2" -v service="$3" '
		/^servicestatus/ { inside = 1; block = ""; h = s = 0 }
		inside { block = block $0 "\n" }
		inside && $0 ~ "host_name=" host "$" { h = 1 }
		inside && $0 ~ "service_description=" service "$" { s = 1 }
		inside && /^[ \t]*}/ { inside = 0; if (h && s) printf "%s", block }
	' "$1" >"$work/seen"
}
value() { sed -n "s/^[[:space:]]*$1=//p" "$work/seen"; }
checked() { # FILE: every service in it has been checked
	[ "$(grep -c '^servicestatus' "$1" 2>/dev/null)" = "$services" ] || return 1
	! awk '/^servicestatus/ { inside = 1 } inside && /has_been_checked=0/ { print } /^[ \t]*}/ { inside = 0 }' "$1" | grep -q .
}
perfdata='^healthy=[0-9]+;[0-9:~@.]*;[0-9:~@.]*;0;[0-9]+ exhausted=[0-9]+;;;0;[0-9]+ deferred=.* first_try=(U|[0-9.]+;;;0;1) slowest=(U|[0-9.]+s;[^;]*;[^;]*;0)( cert_days=(U|-?[0-9]+;[0-9:]*;[0-9:]*))?$'
# shows SYSTEM HOST SERVICE STATE TEXT PERFDATA
shows() {
	check "$1-$2-$3"
	seen "$work/$1.status" "$2" "$3"
	[ "$(value current_state)" = "$4" ] || wrong "state $(value current_state) instead of $4"
	text=$5
	# Nagios 4 takes the semicolons out of the text of a plugin: its own log is separated by them.
	[ "$1" = nagios ] && text=$(echo "$text" | tr ';' ':')
	value plugin_output | grep -qF -- "$text" || wrong "no \"$text\" in its output"
	value performance_data | grep -qE -- "$perfdata" || wrong "perfdata is cut or broken"
	value performance_data | grep -qF -- "$6" || wrong "no $6 in its perfdata"
	done_ "$work/seen"
}
states() { # SYSTEM
	shows "$1" good.example Mail 0 "MXPROBE OK - good.example: 1 of 1 endpoint healthy" "healthy=1;;;0;1"
	shows "$1" half.example Mail 1 "MXPROBE WARNING - half.example: 1 of 2 endpoints healthy; mx.full.example[127.79.0.2] exhausted/memory 452 4.3.1 Out of memory" "exhausted=1;;;0;2"
	shows "$1" full.example Mail 2 "MXPROBE CRITICAL - full.example: 0 of 1 endpoint healthy" "first_try=0;;;0;1 slowest=U"
	shows "$1" broken.example Mail 3 "MXPROBE UNKNOWN - broken.example: DNS gave no usable answer (SERVFAIL)" "first_try=U slowest=U"
	shows "$1" rude.example Mail 2 "(b)?HOSTNAME?(/b) ’id’ ’q’ /n, /x07/xFF" "exhausted=1;;;0;1"
	shows "$1" half.example Ranges 1 "MXPROBE WARNING - half.example: 1 of 2 endpoints healthy" "healthy=1;2:2;1:2;0;2 "
	shows "$1" half.example Control 3 "MXPROBE UNKNOWN - control target full.example is failing, the fault is likely here" "healthy=1;;;0;2"
	shows "$1" half.example Several 1 "MXPROBE WARNING - 2 targets: 1 degraded, 1 healthy; 2 of 3 endpoints healthy" "healthy=2;;;0;3"
}
services=8
hosts="good.example half.example full.example broken.example rude.example"

# Nagios: Debian's configuration, with ours as one more file of objects, and quicker.
{
	for host in $hosts; do
		printf 'define host {\n use mail-domain\n host_name %s\n address %s\n}\n' $host $host
	done
	service() { # HOST DESCRIPTION OPTIONS
		printf 'define service {\n use mail-domain-service\n host_name %s\n service_description %s\n check_command check_mxprobe!%s\n}\n' "$1" "$2" "$ask $3"
	}
	for host in $hosts; do
		service $host Mail ""
	done
	service half.example Ranges "-w 0 -c 50% -D 14,7"
	service half.example Control "--control full.example"
	service half.example Several "good.example"
} >"$work/nagios.objects"
mkdir -p /etc/nagios4/conf.d /etc/nagios-plugins/config
# Without the two examples at its end, which are not in the lab; they are looked at below.
awk '/^# The verdict is the state/ { exit } { print }' "$repo/contrib/nagios/commands.cfg" >/etc/nagios4/conf.d/mxprobe.cfg
cp "$work/nagios.objects" /etc/nagios4/conf.d/lab.cfg
sed -i -e '/localhost.cfg/d' -e "s|^status_file=.*|status_file=$work/nagios.status|" \
	-e 's/^status_update_interval=.*/status_update_interval=1/' -e 's/^interval_length=.*/interval_length=1/' \
	-e 's/^check_result_reaper_frequency=.*/check_result_reaper_frequency=1/' -e 's/^use_syslog=.*/use_syslog=0/' \
	/etc/nagios4/nagios.cfg
sed -i 's|^\$USER1\$=.*|$USER1$=/usr/lib/nagios/plugins|' /etc/nagios4/resource.cfg
mkdir -p /run/nagios4 /var/log/nagios4/archives /var/lib/nagios4/rw /var/lib/nagios4/spool/checkresults /var/cache/nagios4
chown -R nagios:nagios /run/nagios4 /var/log/nagios4 /var/lib/nagios4 /var/cache/nagios4
chmod 1777 "$work"

check nagios-configuration
nagios4 -v /etc/nagios4/nagios.cfg >"$work/out" 2>&1 || wrong "nagios4 -v: it is refused"
cp "$repo/contrib/nagios/commands.cfg" /etc/nagios4/conf.d/mxprobe.cfg
nagios4 -v /etc/nagios4/nagios.cfg >"$work/out2" 2>&1 || wrong "nagios4 -v: the examples are refused"
awk '/^# The verdict is the state/ { exit } { print }' "$repo/contrib/nagios/commands.cfg" >/etc/nagios4/conf.d/mxprobe.cfg
done_ "$work/out" "$work/out2"

check nagios
nagios4 /etc/nagios4/nagios.cfg >"$work/nagios.out" 2>&1 &
nagios=$!
until_true checked "$work/nagios.status" || wrong "not every service has been checked"
done_ "$work/nagios.out" /var/log/nagios4/nagios.log
states nagios
kill $nagios && wait $nagios 2>/dev/null

# Icinga: the same. Results are read from the status file that it writes for old web interfaces.
cp "$repo/contrib/icinga2/mxprobe.conf" /etc/icinga2/conf.d/
rm -f /etc/icinga2/conf.d/hosts.conf /etc/icinga2/features-enabled/*
mkdir -p /etc/icinga2/features-enabled
cp /etc/icinga2/features-available/checker.conf /etc/icinga2/features-enabled/
cat >/etc/icinga2/features-enabled/statusdata.conf <<CONF
object StatusDataWriter "status" {
	status_path = "$work/icinga.status"
	objects_path = "$work/icinga.objects"
	update_interval = 1s
}
CONF
{
	for host in $hosts; do
		printf 'object Host "%s" {\n\tcheck_command = "dummy"\n}\n' $host
	done
	cat <<CONF
template Service "lab" {
	check_command = "mxprobe"
	check_interval = 2s
	retry_interval = 2s
	max_check_attempts = 1
	vars.mxprobe_resolver = "$resolver"
	vars.mxprobe_port = $port
	vars.mxprobe_helo = "probe.example.test"
}
apply Service "Mail" {
	import "lab"
	assign where true
}
apply Service "Ranges" {
	import "lab"
	vars.mxprobe_warning = "0"
	vars.mxprobe_critical = "50%"
	vars.mxprobe_certificate = "14,7"
	assign where host.name == "half.example"
}
apply Service "Control" {
	import "lab"
	vars.mxprobe_control = "full.example"
	assign where host.name == "half.example"
}
apply Service "Several" {
	import "lab"
	vars.mxprobe_target = [ "half.example", "good.example" ]
	assign where host.name == "half.example"
}
CONF
} >/etc/icinga2/conf.d/lab.conf
# The example of vantage points, in a configuration of its own: it names its own zones.
cat >"$work/example.conf" <<CONF
include <itl>
include <plugins>
const PluginDir = "/usr/lib/nagios/plugins"
const NodeName = "master.example.net"
const ZoneName = "master"
include "$repo/contrib/icinga2/mxprobe.conf"
include "$repo/contrib/icinga2/example.conf"
CONF
mkdir -p /run/icinga2/cmd /var/log/icinga2 /var/cache/icinga2 /var/lib/icinga2 /var/spool/icinga2
chown -R nagios:nagios /run/icinga2 /var/log/icinga2 /var/cache/icinga2 /var/lib/icinga2 /var/spool/icinga2 /etc/icinga2

check icinga-configuration
icinga2 daemon -C >"$work/out" 2>&1 || wrong "icinga2 daemon -C: it is refused"
icinga2 daemon -C -c "$work/example.conf" >"$work/out2" 2>&1 || wrong "icinga2 daemon -C: the example is refused"
done_ "$work/out" "$work/out2"

check icinga
icinga2 daemon >"$work/icinga.out" 2>&1 &
icinga=$!
until_true checked "$work/icinga.status" || wrong "not every service has been checked"
done_ "$work/icinga.out"
states icinga
kill $icinga && wait $icinga 2>/dev/null

## Metrics

check promtool-rules
(cd "$repo/contrib/prometheus" && promtool check rules mxprobe.rules.yml && promtool test rules mxprobe.test.yml) \
	>"$work/out" 2>&1 || wrong "promtool does not like the rules"
done_ "$work/out"

check promtool-metrics
mkdir "$work/textfile"
# shellcheck disable=SC2086 # a list of options
mxprobe -q $ask --prometheus --output "$work/textfile/mxprobe.prom" good.example half.example full.example broken.example rude.example >"$work/out" 2>&1
[ $? = 2 ] || wrong "mxprobe does not exit 2"
[ -s "$work/out" ] && wrong "it is not quiet"
promtool check metrics <"$work/textfile/mxprobe.prom" >"$work/out2" 2>&1 || wrong "promtool does not like the metrics"
[ -s "$work/out2" ] && wrong "promtool has something to say"
# shellcheck disable=SC2086 # as above
mxprobe $ask --prometheus=addresses good.example half.example rude.example | promtool check metrics >"$work/out3" 2>&1 ||
	wrong "promtool does not like addresses"
done_ "$work/out" "$work/out2" "$work/out3"

check node-exporter
prometheus-node-exporter --collector.disable-defaults --collector.textfile --collector.textfile.directory="$work/textfile" \
	--web.listen-address=127.0.0.1:9100 >"$work/exporter.out" 2>&1 &
exporter=$!
served() { curl -sf http://127.0.0.1:9100/metrics >"$work/metrics"; }
until_true served || wrong "it does not serve"
grep -q '^node_textfile_scrape_error 0$' "$work/metrics" || wrong "a scrape error"
grep '^mxprobe_' "$work/textfile/mxprobe.prom" | sed 's/ [^ ]*$//' | sort >"$work/written"
grep '^mxprobe_' "$work/metrics" | sed 's/ [^ ]*$//' | sort >"$work/served"
label() { sed 's/{\(.*\)}/,\1/; s/,/\n/g' | sort | tr '\n' ' '; } # it sorts labels
while read -r line; do echo "$line" | label; echo; done <"$work/written" | sort >"$work/written.sorted"
while read -r line; do echo "$line" | label; echo; done <"$work/served" | sort >"$work/served.sorted"
[ -s "$work/served" ] || wrong "no metric of ours"
cmp -s "$work/written.sorted" "$work/served.sorted" || wrong "not the series that were written"
done_ "$work/exporter.out"

check prometheus
cat >"$work/prometheus.yml" <<CONF
global: {scrape_interval: 1s, evaluation_interval: 1s}
rule_files: ["$repo/contrib/prometheus/mxprobe.rules.yml"]
scrape_configs:
  - job_name: node
    static_configs: [{targets: ["127.0.0.1:9100"]}]
CONF
prometheus --config.file="$work/prometheus.yml" --storage.tsdb.path="$work/tsdb" --web.listen-address=127.0.0.1:9090 \
	>"$work/prometheus.out" 2>&1 &
prometheus=$!
query() { # EXPRESSION: the result, as JSON
	curl -sf http://127.0.0.1:9090/api/v1/query --data-urlencode "query=$1"
}
there() { query mxprobe_build_info | grep -q '"value"'; }
until_true there || wrong "the metrics do not arrive"
done_ "$work/prometheus.out"

check dashboard
dashboard=$repo/contrib/prometheus/mxprobe.dashboard.json
: >"$work/out"
jq -e '[.panels[].id] | length == (unique | length)' "$dashboard" >/dev/null || wrong "two panels have one id"
jq -e 'all(.panels[]; .gridPos.x + .gridPos.w <= 24 and (.targets | length) > 0 and .datasource.uid == "${datasource}")' \
	"$dashboard" >/dev/null || wrong "a panel out of its frame, without a query or a data source"
jq -r '.panels[].targets[].expr' "$dashboard" | sed 's/\$domain/.*/g; s/\$__range/5m/g' >"$work/queries"
while IFS= read -r expr; do
	query "$expr" >"$work/answer" || wrong "refused: $expr"
	jq -e '.data.result | length > 0' "$work/answer" >/dev/null || wrong "nothing for: $expr"
done <"$work/queries"
[ "$(wc -l <"$work/queries")" -ge 12 ] || wrong "less than 12 queries"
done_ "$work/answer"

check rules-in-prometheus
firing() { curl -sf http://127.0.0.1:9090/api/v1/rules | jq -e '[.data.groups[].rules[] | select(.health != "ok")] | length == 0' >/dev/null; }
until_true firing || wrong "a rule does not evaluate"
done_
kill $prometheus $exporter && wait $prometheus $exporter 2>/dev/null

## systemd

if command -v systemd-analyze >/dev/null; then
	check systemd-verify
	# Without documentation, which needs a database of man pages to be found.
	mkdir "$work/units"
	for unit in service timer; do
		sed '/^Documentation=/d' "$repo/contrib/systemd/mxprobe.$unit" >"$work/units/mxprobe.$unit"
	done
	systemd-analyze verify "$work/units/mxprobe.service" "$work/units/mxprobe.timer" >"$work/out" 2>&1 || wrong "it is refused"
	grep mxprobe "$work/out" >"$work/out2" && wrong "it has something to say"
	# The same with what adds a webhook.
	cp -r "$repo/contrib/systemd/mxprobe.service.d" "$work/units/"
	systemd-analyze verify "$work/units/mxprobe.service" >"$work/out" 2>&1 || wrong "it is refused with a webhook"
	grep mxprobe "$work/out" >"$work/out2" && wrong "it has something to say of the webhook"
	cat "$work/units/mxprobe.service.d/"*.conf >"$work/out2"
	grep -qxF "$(sed -n 's/^ExecStart=.*/& --confirm 2 --webhook ${MXPROBE_WEBHOOK}/p' "$work/units/mxprobe.service")" \
		"$work/out2" || wrong "with a webhook it is another command"
	done_ "$work/out"

	if systemd-analyze security --help 2>/dev/null | grep -q -- --offline; then
		check systemd-security
		systemd-analyze security --offline=true --threshold=20 "$repo/contrib/systemd/mxprobe.service" >"$work/out" 2>&1 ||
			wrong "its exposure is 2.0 or more"
		sed -n 's/.*\(Overall exposure.*\)/report: \1/p' "$work/out"
		done_ "$work/out"
	fi
fi

echo
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
exit
