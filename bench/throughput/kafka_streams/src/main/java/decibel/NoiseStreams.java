package decibel;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.ObjectReader;
import com.fasterxml.jackson.databind.ObjectWriter;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.Properties;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.Produced;
import org.apache.kafka.streams.state.Stores;

/**
 * Kafka Streams: an aggregate by incident in a memory store with changelog, at least once. Caching is on, so what is
 * written to changelog and output is the last state of each incident when the cache is flushed, at each commit.
 */
public final class NoiseStreams {
    private static final double HALF_LIFE_S = 6.0 * 3600.0;
    private static final ObjectReader ITEM = new ObjectMapper().readerFor(Item.class);
    private static final ObjectWriter UPDATE = new ObjectMapper().writerFor(Update.class);

    @JsonIgnoreProperties(ignoreUnknown = true)
    record Engagement(long likes, long comments, long shares, long views) {}

    @JsonIgnoreProperties(ignoreUnknown = true)
    record Item(String incident_id, String observed_at, Engagement engagement) {}

    record Update(String incident_id, long observations, long interactions, double noise, double at) {}

    /** The state of an incident: as a row of 32 bytes in store and changelog. */
    record Noise(long observations, long interactions, double noise, double at) {
        static final Noise NONE = new Noise(0, 0, 0.0, 0.0);

        Noise heard(Item item) {
            Engagement seen = item.engagement();
            long drawn = seen.likes() + seen.comments() + seen.shares() + seen.views();
            Instant observed = Instant.parse(item.observed_at());
            double when = observed.getEpochSecond() + observed.getNano() / 1e9;
            double later = when >= at
                ? noise * Math.pow(2.0, (at - when) / HALF_LIFE_S) + drawn
                : noise + drawn * Math.pow(2.0, (when - at) / HALF_LIFE_S);
            return new Noise(observations + 1, interactions + drawn, later, Math.max(at, when));
        }

        byte[] row() {
            return ByteBuffer.allocate(32)
                .putLong(observations).putLong(interactions).putDouble(noise).putDouble(at).array();
        }

        static Noise of(byte[] row) {
            ByteBuffer read = ByteBuffer.wrap(row);
            return new Noise(read.getLong(), read.getLong(), read.getDouble(), read.getDouble());
        }
    }

    private static Item item(byte[] value) {
        try {
            return ITEM.readValue(value);
        } catch (IOException error) {
            throw new UncheckedIOException(error);
        }
    }

    private static byte[] update(String incident, Noise noise) {
        try {
            return UPDATE.writeValueAsBytes(new Update(
                incident, noise.observations(), noise.interactions(), noise.noise(), noise.at()));
        } catch (IOException error) {
            throw new UncheckedIOException(error);
        }
    }

    private static String given(String name) {
        return System.getenv("BENCH_" + name);
    }

    private static Properties settings() {
        Properties settings = new Properties();
        settings.put(StreamsConfig.APPLICATION_ID_CONFIG, given("GROUP"));
        settings.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, given("BOOTSTRAP"));
        settings.put(StreamsConfig.STATE_DIR_CONFIG, given("FOLDER"));
        settings.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, StreamsConfig.AT_LEAST_ONCE);
        // With caching this is how long an update may wait; Kafka Streams' own default is 30 s.
        settings.put(StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, 100);
        settings.put(StreamsConfig.STATESTORE_CACHE_MAX_BYTES_CONFIG, 64 * 1024 * 1024);
        settings.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, 1);
        settings.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "earliest");
        settings.put(ConsumerConfig.SESSION_TIMEOUT_MS_CONFIG, 60_000);
        settings.put(ProducerConfig.COMPRESSION_TYPE_CONFIG, "lz4");
        settings.put(ProducerConfig.LINGER_MS_CONFIG, 5);
        settings.put(ProducerConfig.BATCH_SIZE_CONFIG, 262_144);
        return settings;
    }

    public static void main(String[] arguments) {
        Serde<Noise> noise = Serdes.serdeFrom(
            (topic, each) -> each == null ? null : each.row(),
            (topic, row) -> row == null ? null : Noise.of(row));
        StreamsBuilder builder = new StreamsBuilder();
        builder
            .stream(given("SOURCE"), Consumed.with(Serdes.String(), Serdes.ByteArray()))
            .groupByKey()
            .aggregate(
                () -> Noise.NONE,
                (incident, value, state) -> state.heard(item(value)),
                Materialized.<String, Noise>as(Stores.inMemoryKeyValueStore("incidents"))
                    .withKeySerde(Serdes.String())
                    .withValueSerde(noise)
                    .withCachingEnabled())
            .toStream()
            .mapValues((incident, state) -> update(incident, state))
            .to(given("OUTPUT"), Produced.with(Serdes.String(), Serdes.ByteArray()));
        KafkaStreams streams = new KafkaStreams(builder.build(), settings());
        Runtime.getRuntime().addShutdownHook(new Thread(streams::close));
        streams.start();
    }
}
