<?php
/**
 * Validates the input of Settings → Lianmai.
 *
 * @package Lianmai
 */

declare(strict_types=1);

namespace Lianmai;

/** Converts the input to settings, and reports invalid values. */
final class SettingsInput {
	/**
	 * Sanitises the input of the form. The secret is stored in its own option, which is not loaded with every page.
	 *
	 * @param mixed $input The input.
	 * @return array<string, mixed>
	 */
	public static function sanitize( $input ): array {
		$input = is_array( $input ) ? $input : array();
		$old   = Settings::all();
		$new   = array(
			'server'      => self::sanitize_address( $input, 'server', $old['server'], __( 'Server address', 'lianmai' ) ),
			'kind'        => isset( $input['kind'] ) && in_array( $input['kind'], Settings::KINDS, true ) ? $input['kind'] : Settings::DEFAULTS['kind'],
			'api'         => self::sanitize_address( $input, 'api', $old['api'], __( 'WHIP address', 'lianmai' ) ),
			'audience'    => self::sanitize_audience( $input, $old['audience'] ),
			'prefix'      => self::sanitize_prefix( $input, $old['prefix'] ),
			'play_tokens' => ! empty( $input['play_tokens'] ),
			'autoplay'    => ! empty( $input['autoplay'] ),
		);
		if ( ! empty( $input['everywhere'] ) ) {
			$new['everywhere'] = true;
		}
		self::take_secret( $input, $new );
		return $new;
	}

	/**
	 * @param array<mixed> $input The input.
	 * @param mixed        $old   The value that stays if the input is not an address.
	 */
	private static function sanitize_address( array $input, string $name, $old, string $label ): string {
		$given = isset( $input[ $name ] ) && is_string( $input[ $name ] ) ? trim( $input[ $name ] ) : '';
		$clean = Settings::clean_address( $given );
		if ( '' !== $clean && Address::without_stream( $given ) !== $given ) {
			/* translators: 1: the name of a setting, 2: an address. */
			self::complain( $name, sprintf( __( '%1$s: that was the address of a stream or a page. Saved is the server’s part, %2$s.', 'lianmai' ), $label, $clean ), 'warning' );
		} elseif ( '' !== (string) wp_parse_url( $clean, PHP_URL_PATH ) && $clean !== $old ) {
			/* translators: 1: the name of a setting, 2: an address, 3: an address. */
			self::complain( $name, sprintf( __( '%1$s: saved. Players will ask for %2$s: if the end of %3$s is the name of a stream, take it away.', 'lianmai' ), $label, $clean . '/' . Starter::stream(), $clean ), 'warning' );
		}
		if ( '' === $given || '' !== $clean ) {
			return $clean;
		}
		if ( preg_match( '/^rtmps?:/i', $given ) ) {
			/* translators: %s: the name of a setting. */
			self::complain( $name, sprintf( __( '%s: streaming programs publish to an rtmp:// address; browsers need the server’s http(s) address, such as https://live.example.com. The old one stays.', 'lianmai' ), $label ) );
			return is_string( $old ) ? $old : '';
		}
		/* translators: %s: the name of a setting. */
		self::complain( $name, sprintf( __( '%s: enter an address such as https://live.example.com, without a query. The old one stays.', 'lianmai' ), $label ) );
		return is_string( $old ) ? $old : '';
	}

	/**
	 * @param array<mixed> $input The input.
	 * @param mixed        $old   The value that stays if the input is invalid.
	 */
	private static function sanitize_audience( array $input, $old ): string {
		$given = isset( $input['audience'] ) && is_string( $input['audience'] ) ? trim( $input['audience'] ) : '';
		if ( '' === $given ) {
			return Settings::DEFAULTS['audience'];
		}
		if ( preg_match( '#^[A-Za-z0-9._~:/-]{1,200}$#D', $given ) ) {
			return $given;
		}
		self::complain( 'audience', __( 'Audience: letters, digits and . _ ~ : / - only. The old one stays.', 'lianmai' ) );
		return is_string( $old ) ? $old : Settings::DEFAULTS['audience'];
	}

	/**
	 * @param array<mixed> $input The input.
	 * @param mixed        $old   The value that stays if the input cannot be a prefix of a stream's name.
	 */
	private static function sanitize_prefix( array $input, $old ): string {
		$given = isset( $input['prefix'] ) && is_string( $input['prefix'] ) ? trim( $input['prefix'], "/= \t\n\r" ) : '';
		if ( '' === $given || preg_match( '#^[A-Za-z0-9_-][A-Za-z0-9._-]*(?:/[A-Za-z0-9_-][A-Za-z0-9._-]*){0,3}$#D', $given ) && strlen( $given ) <= 100 ) {
			return $given;
		}
		self::complain( 'prefix', __( 'Prefix of streams and rooms: letters, digits and . _ - only, such as news. The old one stays.', 'lianmai' ) );
		return is_string( $old ) ? $old : '';
	}

	/**
	 * Stores the entered secret, and deletes the secret of another server.
	 *
	 * @param array<mixed>         $input The input.
	 * @param array<string, mixed> $settings   The settings to be stored.
	 */
	private static function take_secret( array $input, array $settings ): void {
		$given  = isset( $input['secret'] ) && is_string( $input['secret'] ) ? trim( $input['secret'] ) : '';
		$server = Settings::server_is_fixed() ? Settings::server() : (string) ( '' === $settings['api'] ? $settings['server'] : $settings['api'] );
		if ( '' !== $given ) {
			if ( strlen( $given ) > 500 || preg_match( '/[\x00-\x20\x7f]/', $given ) ) {
				self::complain( 'secret', __( 'Secret: no spaces, at most 500 characters. The old one stays.', 'lianmai' ) );
			} else {
				Settings::keep_secret( $given, $server );
			}
			return;
		}
		$stored = get_option( Settings::SECRET );
		if ( ! is_array( $stored ) ) {
			return;
		}
		if ( ! empty( $input['forget_secret'] ) ) {
			Settings::keep_secret( '' );
		} elseif ( ! isset( $stored['server'] ) || $stored['server'] !== $server ) {
			Settings::keep_secret( '' );
			self::complain( 'secret', __( 'The server is another one now, so its secret was forgotten. Enter the new server’s secret.', 'lianmai' ) );
		}
	}

	private static function complain( string $name, string $sentence, string $kind = 'error' ): void {
		// The field is absent if a program, not the form, sets the option.
		if ( function_exists( 'add_settings_error' ) ) {
			add_settings_error( Settings::OPTION, 'lianmai_' . $name, $sentence, $kind );
		}
	}
}
